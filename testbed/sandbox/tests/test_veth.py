# SPDX-License-Identifier: GPL-2.0-only
"""Unit tests of testbed/sandbox/veth.py, without a name space: the message, and what is answered."""
import struct
import unittest

from testbed.sandbox import veth


def attributes(data):
    """[(type, value)]"""
    result = []
    while data:
        length, kind = struct.unpack_from("=HH", data)
        result.append((kind, data[4:length]))
        data = data[(length + 3) & ~3:]
    return result


class Veth(unittest.TestCase):
    def test_attribute(self):
        self.assertEqual(veth.attribute(3, b"wire\0"), b"\x09\0\x03\0wire\0\0\0\0")
        self.assertEqual(veth.attribute(3, b"abcd"), b"\x08\0\x03\0abcd")

    def test_message(self):
        message = veth.new_veth(7)
        # create and exclusive, with an answer
        self.assertEqual(struct.unpack_from("=IHHII", message), (len(message), 16, 0x605, 1, 0))
        self.assertEqual(message[16:32], bytes(16))
        end = [(veth.IFLA_IFNAME, b"wire\0"), (veth.IFLA_MTU, struct.pack("=I", 1500))]
        *here, (kind, info) = attributes(message[32:])
        self.assertEqual((here, kind), (end, veth.IFLA_LINKINFO))
        (name, veth_name), (data, peer) = attributes(info)
        self.assertEqual((name, veth_name, data), (veth.IFLA_INFO_KIND, b"veth", veth.IFLA_INFO_DATA))
        (kind, there), = attributes(peer)
        self.assertEqual((kind, there[:16]), (veth.VETH_INFO_PEER, bytes(16)))
        self.assertEqual(attributes(there[16:]), end + [(veth.IFLA_NET_NS_FD, struct.pack("=I", 7))])

    def test_answer(self):
        answer = struct.pack("=IHHIIi", 36, 2, 0, 1, 0, -17) + bytes(16)
        self.assertEqual(veth.refused(answer), 17)
        self.assertEqual(veth.refused(answer[:16] + bytes(20)), 0)
        with self.assertRaises(ValueError):
            veth.refused(struct.pack("=IHHIIi", 36, 16, 0, 1, 0, 0))
        with self.assertRaises(ValueError):
            veth.refused(struct.pack("=IHHII", 16, 2, 0, 1, 0))


if __name__ == "__main__":
    unittest.main()

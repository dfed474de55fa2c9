/* SPDX-License-Identifier: GPL-2.0-only */
/* Subnet management packets (IBA 1.5, 14.2): fields of the MAD, attributes, and PortInfo. */
#ifndef SUBNET_SMP_H
#define SUBNET_SMP_H

#define SMP_CLASS_LID	   0x01u
#define SMP_CLASS_DIRECTED 0x81u
#define SMP_HOPS	   64u	   /* a path has fewer */
#define SMP_PERMISSIVE	   0xffffu /* the LID of whoever is at the other end */
#define SMP_DATA_LEN	   64u

/* Byte offsets. */
#define SMP_BASE      0
#define SMP_CLASS     1
#define SMP_VERSION   2
#define SMP_METHOD    3
#define SMP_STATUS    4 /* directed route: bit 15 is the direction */
#define SMP_HOP_PTR   6
#define SMP_HOP_CNT   7
#define SMP_TID	      8
#define SMP_ATTRIBUTE 16
#define SMP_MODIFIER  20
#define SMP_M_KEY     24
#define SMP_DR_SLID   32
#define SMP_DR_DLID   34
#define SMP_DATA      64
#define SMP_INITIAL   128
#define SMP_RETURN    192

#define SMP_RETURNING 0x8000u

enum smp_method {
	SMP_GET = 0x01,
	SMP_SET = 0x02,
	SMP_TRAP = 0x05,
	SMP_TRAP_REPRESS = 0x07,
	SMP_GET_RESPONSE = 0x81,
};

enum smp_status {
	SMP_OK = 0x00,
	SMP_BAD_VERSION = 0x04,
	SMP_BAD_METHOD = 0x08,
	SMP_BAD_ATTRIBUTE = 0x0c,
	SMP_BAD_VALUE = 0x1c,
};

enum smp_attribute {
	SMP_NOTICE = 0x0002,
	SMP_NODE_DESCRIPTION = 0x0010,
	SMP_NODE_INFO = 0x0011,
	SMP_SWITCH_INFO = 0x0012,
	SMP_GUID_INFO = 0x0014,
	SMP_PORT_INFO = 0x0015,
	SMP_P_KEY_TABLE = 0x0016,
	SMP_SL_TO_VL = 0x0017,
	SMP_VL_ARBITRATION = 0x0018,
	SMP_LINEAR_TABLE = 0x0019,
	SMP_MULTICAST_TABLE = 0x001b,
	SMP_SM_INFO = 0x0020,
};

/* PortInfo: bytes, and what they hold ([hi:lo]). */
#define PI_M_KEY	 0
#define PI_PREFIX	 8
#define PI_LID		 16
#define PI_SM_LID	 18
#define PI_CAPABILITIES	 20
#define PI_LOCAL_PORT	 28
#define PI_WIDTH_ENABLED 29
#define PI_WIDTH_SUPPORT 30
#define PI_WIDTH	 31
#define PI_SPEED_STATE	 32 /* speeds supported [7:4], state [3:0] */
#define PI_PHYS		 33 /* physical state [7:4], that after a link went down [3:0] */
#define PI_LMC		 34 /* protection [7:6], LMC [2:0] */
#define PI_SPEED	 35 /* active [7:4], enabled [3:0] */
#define PI_MTU_SL	 36 /* neighbour's MTU [7:4], SM's SL [3:0] */
#define PI_VL_CAP	 37 /* [7:4] */
#define PI_HIGH_LIMIT	 38
#define PI_MTU_CAP	 41 /* [3:0] */
#define PI_OPER_VLS	 43 /* [7:4] */
#define PI_GUIDS	 50
#define PI_TIMEOUT	 51 /* client reregister [7], timeout [4:0] */
#define PI_RESPONSE	 52
#define PI_EXT_SPEED	 62 /* active [7:4], supported [3:0] */
#define PI_EXT_ENABLED	 63 /* [4:0] */

enum port_state { STATE_DOWN = 1, STATE_INIT = 2, STATE_ARMED = 3, STATE_ACTIVE = 4 };
enum port_phys { PHYS_SLEEP = 1, PHYS_POLLING = 2, PHYS_DISABLED = 3, PHYS_LINK_UP = 5 };

#define WIDTH_1X   1u
#define WIDTH_4X   2u
#define WIDTHS	   (WIDTH_1X | WIDTH_4X)
#define WIDTH_ALL  255u /* in a Set: whatever is supported */
#define SPEED_10   4u
#define SPEEDS	   7u /* 2.5, 5, 10 Gb/s a lane */
#define SPEED_ALL  15u
#define EXT_NDR	   8u
#define EXT_SPEEDS 15u /* 14, 25, 50, 100 Gb/s a lane */
#define EXT_NONE   30u
#define EXT_ALL	   31u

/* PortInfo.CapabilityMask */
#define IS_SM	       (1u << 1)
#define IS_SYSTEM_GUID (1u << 11)
#define IS_EXTENDED    (1u << 14) /* LinkSpeedExt */
#define IS_REREGISTER  (1u << 25)

#define SM_STANDBY 2u
#define SM_MASTER  3u

#endif

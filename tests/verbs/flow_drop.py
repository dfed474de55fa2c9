#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""
In the guest: holds a rule that drops what an mlx5 device receives (rx) or sends (tx) by RDMA, with the
classes of rdma-core's python tests.

Usage: flow_drop.py DIRECTORY IB-DEVICE rx|tx. Prints "dropping" and waits for the end of its input.
"""
import os
import sys

TABLE_TYPE = {'rx': 7, 'tx': 8}
LEVEL = 200
DROP = 2


def main():
    directory, device, side = sys.argv[1:]
    sys.path[:0] = [directory, os.path.dirname(directory)]
    from pyverbs.providers.mlx5 import mlx5dv_flow as dv
    from pyverbs.providers.mlx5 import mlx5_enums as enums
    from tests.test_mlx5_flow import MAX_MATCH_PARAM_SIZE, Mlx5RCFlowResources

    attach = {'rx': enums.MLX5DV_FLOW_TABLE_TYPE_RDMA_RX_, 'tx': enums.MLX5DV_FLOW_TABLE_TYPE_RDMA_TX_}[side]
    everything = bytes(MAX_MATCH_PARAM_SIZE)
    res = Mlx5RCFlowResources(dev_name=device, ib_port=1, gid_index=0)
    table, number = res.create_devx_flow_table(TABLE_TYPE[side], LEVEL)
    group = res.create_devx_flow_group(number, TABLE_TYPE[side])
    res.create_devx_flow_entry(number, group, DROP, TABLE_TYPE[side])
    matcher = res.create_matcher(everything, 0, ft_type=attach)
    action = dv.Mlx5FlowActionAttr(action_type=enums.mlx5dv_flow_action_type.MLX5DV_FLOW_ACTION_DEST_DEVX,
                                   obj=table)
    flow = dv.Mlx5Flow(matcher, dv.Mlx5FlowMatchParameters(len(everything), everything), [action], 1)
    print('dropping', flush=True)
    sys.stdin.read()
    flow.close()
    matcher.close()
    res.close_resources()


main()

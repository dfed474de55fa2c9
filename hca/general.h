/* SPDX-License-Identifier: GPL-2.0-only */
/* General objects: types, and the share of the queue pair numbers that they may take. */
#ifndef HCA_GENERAL_H
#define HCA_GENERAL_H

/* Types; bit numbers in general_obj_types as well. */
#define HCA_OBJECT_VIRTIO_NET_Q	      0x0du
#define HCA_OBJECT_SCHEDULING_ELEMENT 0x26u
#define HCA_OBJECT_RESERVED_QPN	      0x2cu
#define HCA_OBJECT_AV_QP_MAPPING      0x3au
#define HCA_OBJECT_RDMA_CTRL	      0x53u

#define HCA_RESERVED_QPN_LOG 6u /* numbers of one object */

/* QPs have the numbers below, reserved ranges those from here to 1 << log_max_qp. */
#define HCA_QPN_LIMIT	  (1u << 17)
#define HCA_RESERVED_QPNS (HCA_QPN_LIMIT >> HCA_RESERVED_QPN_LOG)

#endif

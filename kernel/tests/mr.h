/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Shared by the programs that test the kernel series from user space: HCAs, BARs of vfio devices,
 * memory regions by way of the verbs ioctl (the libibverbs at hand does not know the attributes
 * under test), and RC connections to prove on the bus what a memory region does.
 *
 * Functions return 0 (or what is said) or a negative errno. Offsets and lengths are bytes.
 * Objects are the caller's memory; what they hold is released by the function named with it.
 * No function may be called for one object from two threads at a time; several objects of one HCA
 * may be used by several threads.
 */
#ifndef KERNEL_TESTS_MR_H
#define KERNEL_TESTS_MR_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The kernel's come first: libibverbs has older copies of them under the same guards. */
#include <rdma/ib_user_verbs.h>
#include <rdma/ib_user_ioctl_verbs.h>
#include <rdma/ib_user_ioctl_cmds.h>
#include <rdma/rdma_user_ioctl_cmds.h>

#include <infiniband/verbs.h>

#include "vfiobar/vfiobar.h"

#define MR_PAGE 4096u

/* --- HCA functions ---------------------------------------------------------------------------- */

struct mr_hca {
	struct ibv_context *context;
	struct ibv_pd *pd;
	uint32_t driver_id; /* enum rdma_driver_id */
	uint16_t lid;
};

/* Opens HCA @name ("mlx5_0", or soft-RoCE "rxe0") and its port 1. -ENODEV: none of that name. */
int mr_hca_open(const char *name, struct mr_hca *hca);
/* MRs of the raw ioctl are gone afterwards, too. Safe for a zeroed @hca. */
void mr_hca_close(struct mr_hca *hca);

/* --- a verbs ioctl, attribute by attribute ---------------------------------------------------- */

#define MR_ATTRS 20

struct mr_cmd {
	struct ib_uverbs_ioctl_hdr hdr;
	struct ib_uverbs_attr attr[MR_ATTRS];
};

void mr_cmd_init(struct mr_cmd *cmd, uint16_t object, uint16_t method);
/*
 * Each appends an attribute and returns it, so that a test can change it. Values of up to 8 bytes
 * are copied, others and all outputs are read and written at mr_cmd_run(). Attributes are mandatory
 * for the kernel to know until a test clears UVERBS_ATTR_F_MANDATORY.
 */
struct ib_uverbs_attr *mr_cmd_in(struct mr_cmd *cmd, uint16_t id, const void *data, size_t length);
struct ib_uverbs_attr *mr_cmd_u64(struct mr_cmd *cmd, uint16_t id, uint64_t value);
struct ib_uverbs_attr *mr_cmd_u32(struct mr_cmd *cmd, uint16_t id, uint32_t value);
/* Handle of an object, or a file descriptor. */
struct ib_uverbs_attr *mr_cmd_object(struct mr_cmd *cmd, uint16_t id, int64_t handle);
struct ib_uverbs_attr *mr_cmd_out(struct mr_cmd *cmd, uint16_t id, void *data, size_t length);
int mr_cmd_run(const struct mr_hca *hca, struct mr_cmd *cmd);

/* --- BARs of a vfio device -------------------------------------------------------------------- */

/* An open vfio device with one BAR mapped for the CPU. */
struct mr_bar {
	struct vfiobar *dev;
	struct vfiobar_window *window;
	unsigned int number;
	uint64_t length;
};

/* Opens @bdf, which vfio-pci must own, and maps the first @length bytes of BAR @number. */
int mr_bar_open(const char *bdf, unsigned int number, uint64_t length, struct mr_bar *bar);
/* Revokes the dma-bufs for good. Safe for a zeroed @bar. */
void mr_bar_close(struct mr_bar *bar);
/* A dma-buf of [@offset, @offset + @length); returns its descriptor, which the caller closes. */
int mr_bar_export(struct mr_bar *bar, uint64_t offset, uint64_t length);
/* Attaches @hint to the dma-buf; mr_no_hint() withdraws it. */
int mr_bar_hint(struct mr_bar *bar, int fd, struct vfiobar_hint hint);
/* Both in one: a dma-buf with @hint on it; returns its descriptor. */
int mr_bar_export_hinted(struct mr_bar *bar, uint64_t offset, uint64_t length,
			 struct vfiobar_hint hint);

struct vfiobar_hint mr_st(uint8_t st, uint8_t ph);
struct vfiobar_hint mr_st_ext(uint16_t st_ext, uint8_t ph);
struct vfiobar_hint mr_st_both(uint8_t st, uint16_t st_ext, uint8_t ph);
struct vfiobar_hint mr_no_hint(void);

/* Configuration space as vfio shows it; @length is 1, 2 or 4. */
int mr_config_read(struct mr_bar *bar, unsigned int offset, void *data, size_t length);
int mr_config_write(struct mr_bar *bar, unsigned int offset, const void *data, size_t length);
/* The next three revoke the dma-bufs: until memory is on, until D0 is back, until they return. */
int mr_bar_memory(struct mr_bar *bar, bool enable);
int mr_bar_power(struct mr_bar *bar, unsigned int d_state);
int mr_bar_reset(struct mr_bar *bar);

/* --- memory regions -------------------------------------------------------------------------- */

enum mr_method { MR_REG_DMABUF_MR, MR_REG_MR, MR_METHODS };

#define MR_ACCESS (IBV_ACCESS_LOCAL_WRITE | IBV_ACCESS_REMOTE_WRITE | IBV_ACCESS_REMOTE_READ)

/* What to register. A zeroed request with fd, length and access is a complete one. */
struct mr_request {
	int fd;		 /* dma-buf; for MR_REG_MR with @addr: unused */
	void *addr;	 /* host memory instead of a dma-buf, MR_REG_MR only */
	uint64_t offset; /* into the dma-buf */
	uint64_t length;
	uint64_t iova;
	unsigned int access;
	bool has_policy;
	bool policy_optional; /* a kernel without the attribute may ignore it */
	uint64_t policy;      /* enum ib_uverbs_mr_tph_policy, or a bad value */
	bool has_dmah;	      /* MR_REG_MR only */
	uint32_t dmah;
};

struct mr {
	uint32_t handle;
	uint32_t lkey, rkey;
	uint64_t iova, length; /* as requested */
};

/* @policy < 0 sends no attribute, which means AUTO. iova 0. */
struct mr_request mr_request(int fd, uint64_t length, int policy);
/* @mr is only written on success; mr_dereg() releases it. -EINVAL: also what @method cannot say. */
int mr_reg(const struct mr_hca *hca, enum mr_method method, const struct mr_request *request,
	   struct mr *mr);
/* mr_reg() of either method. */
int mr_reg_dmabuf(const struct mr_hca *hca, const struct mr_request *request, struct mr *mr);
int mr_reg_ex(const struct mr_hca *hca, const struct mr_request *request, struct mr *mr);
int mr_dereg(const struct mr_hca *hca, const struct mr *mr);

/*
 * REREG_MR, as the older call of libibverbs makes it. @flags: enum ibv_rereg_mr_flags, that say
 * which of the others count; @pd: handle. Updates the keys, and with
 * IBV_REREG_MR_CHANGE_TRANSLATION the range.
 */
int mr_rereg(const struct mr_hca *hca, struct mr *mr, int flags, uint32_t pd, void *addr,
	     uint64_t length, unsigned int access);

struct mr_info {
	uint32_t lkey, rkey;
	uint64_t length, iova;
	bool has_tph; /* the kernel filled in tph */
	struct ib_uverbs_mr_tph tph;
};

/* QUERY_MR with the output for TPH, not mandatory: has_tph says whether the kernel knows it. */
int mr_query(const struct mr_hca *hca, const struct mr *mr, struct mr_info *info);
/* QUERY_MR as older programs call it. */
int mr_query_plain(const struct mr_hca *hca, const struct mr *mr, struct mr_info *info);

struct mr_tph_caps {
	uint32_t flags;
	uint8_t st_width;
	uint32_t max_tags;
	uint16_t max_tag;
};

/* -EPROTONOSUPPORT on a kernel without the method. */
int mr_tph_caps(const struct mr_hca *hca, struct mr_tph_caps *caps);
/* How many MRs the HCA's context has, whoever registered them, or -errno. */
int mr_count(const struct mr_hca *hca);
/* ADVISE_MR with prefetch for write, waiting for its end: maps what is not mapped. */
int mr_prefetch(const struct mr_hca *hca, const struct mr *mr);

/* DMA handles. @cpu < 0 or @ph < 0 leaves the attribute out; a CPU is one for volatile memory. */
int mr_dmah_alloc(const struct mr_hca *hca, int cpu, int ph, uint32_t *handle);
int mr_dmah_free(const struct mr_hca *hca, uint32_t handle);

/* --- RC connections --------------------------------------------------------------------------- */

#define MR_LINK_DEPTH  64u
#define MR_LINK_BUFFER 65536u

struct mr_end {
	const struct mr_hca *hca;
	struct ibv_cq *cq;
	struct ibv_qp *qp;
};

/*
 * An RC connection; @from posts. buffer is registered with @from's HCA and holds the bytes
 * 0, 1, 2, ... modulo 251.
 */
struct mr_link {
	struct mr_end from, to;
	uint8_t *buffer;
	struct ibv_mr *buffer_mr;
};

/* @from and @to may be one HCA. Both outlive the link. */
int mr_link_open(struct mr_link *link, const struct mr_hca *from, const struct mr_hca *to);
void mr_link_close(struct mr_link *link);
/* A connection that an error ended works again. */
int mr_link_reconnect(struct mr_link *link);
/*
 * RDMA WRITE of the buffer's first @length bytes to byte @offset of @mr, an MR of @to's HCA, or
 * RDMA READ from there, and wait for the completion, 30 s at most. Return the enum ibv_wc_status (0
 * is success; any other one needs mr_link_reconnect()) or -errno, -ETIMEDOUT among them.
 */
int mr_link_write(struct mr_link *link, const struct mr *mr, uint64_t offset, uint32_t length);
int mr_link_read(struct mr_link *link, const struct mr *mr, uint64_t offset, uint32_t length);
/*
 * *@count writes of @length bytes each, MR_LINK_DEPTH in flight. Ends at the first that fails;
 * those after it were not made. *@done counts those that succeeded. Another thread may read it
 * meanwhile, and change *@count, to more than MR_LINK_DEPTH above *@done.
 */
int mr_link_write_many(struct mr_link *link, const struct mr *mr, uint32_t length,
		       atomic_uint *count, atomic_uint *done);
/* The next completion, -ETIMEDOUT without one in 30 s. */
int mr_wait(struct ibv_cq *cq, struct ibv_wc *wc);
/* Any operation between any two keys. */
int mr_link_run(struct mr_link *link, enum ibv_wr_opcode opcode, uint64_t addr, uint32_t lkey,
		uint32_t length, uint64_t remote_addr, uint32_t rkey);

#endif

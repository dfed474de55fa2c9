/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Checks, reads and composes messages. Pure functions: no I/O, no state.
 */
#ifndef VFIO_USER_MESSAGE_H
#define VFIO_USER_MESSAGE_H

#include "vfio-user/protocol.h"
#include "vfio-user/server.h"

/* A message of the client as received, or one to send. Descriptors not taken out are the owner's.
 */
struct vfio_user_message {
	struct vfio_user_header header;
	uint32_t len; /* of the body, bytes */
	unsigned int nfds;
	int fds[VFIO_USER_FDS_MAX];
	_Alignas(8) uint8_t body[VFIO_USER_BODY_MAX];
};

/*
 * Does a header announce a request, and a body that fits? Returns 0; -EINVAL message shorter than a
 * header, or neither request nor reply; -E2BIG body longer than VFIO_USER_BODY_MAX.
 */
int vfio_user_check_header(const struct vfio_user_header *header);
/*
 * Does a request carry what its command needs: body length, descriptors? Returns 0; -EOPNOTSUPP
 * unknown command; -EINVAL.
 */
int vfio_user_check_request(const struct vfio_user_message *msg);

/* The name of @command, of any number, for messages. */
const char *vfio_user_command_name(unsigned int command);

/*
 * Read the client's VERSION body. @max_data: its max_data_xfer_size, at most VFIO_USER_DATA_MAX.
 * Returns 0; -EINVAL other major version, no JSON, or a value out of range; -ENOMEM.
 */
int vfio_user_parse_version(const void *body, size_t len, uint32_t *max_data);
/* Write the VERSION reply's body to @msg. The whole is at most VFIO_USER_VERSION_REPLY_MAX bytes.
 */
void vfio_user_compose_version(struct vfio_user_message *msg);

/* Returns 0; -EINVAL no such region, no bytes, or not inside; -E2BIG above VFIO_USER_DATA_MAX. */
int vfio_user_check_access(const struct vfio_user_config *config,
			   const struct vfio_user_region_access *access);
/* Are all writes of a REGION_WRITE_MULTI body in order? Returns 0 and *@writes, or as above. */
int vfio_user_check_multi(const struct vfio_user_config *config,
			  const struct vfio_user_message *msg, unsigned int *writes);

/*
 * Write the reply's body to @reply. The region's descriptor goes with a reply only when the
 * whole of it fits the client's argsz: there is one per region, and a client whose buffer was too
 * small asks again. Returns 0; -EINVAL no such region or argsz too small.
 */
int vfio_user_compose_region_info(const struct vfio_user_config *config,
				  const struct vfio_user_region_info *asked,
				  struct vfio_user_message *reply);
/* Returns 0; -EINVAL no such index or argsz too small. Only MSI-X has vectors. */
int vfio_user_compose_irq_info(const struct vfio_user_config *config,
			       const struct vfio_user_irq_info *asked,
			       struct vfio_user_message *reply);

#endif

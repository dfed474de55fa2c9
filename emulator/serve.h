/* SPDX-License-Identifier: GPL-2.0-only */
/* A PCI Express function on a vfio-user socket: the only place that knows both. */
#ifndef EMULATOR_SERVE_H
#define EMULATOR_SERVE_H

#include "pcie/function.h"

struct served;

/*
 * serve() - listen at @socket_path for a client that gets @fn as its device.
 * @msix_vectors: what the function's MSI-X capability says.
 * Returns NULL with errno. The function stays the caller's and outlives the result.
 */
struct served *serve(struct pcie_function *fn, const char *socket_path, unsigned int msix_vectors);
/* Stop serving: what waits for the client fails, and so do later DMA calls. NULL is fine. */
void serve_stop(struct served *served);
/* Stop and free. No DMA call of the function is running, and none follows. NULL is fine. */
void serve_free(struct served *served);

#endif

/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Streams of a DCI: an error of the remote side stops the stream of the message and leaves the
 * others alone, until as many have failed as CREATE_QP allows.
 */
#include "hca/data.h"
#include "hca/qp.h"

bool hca_stream_failed(const struct hca_qp *qp, uint16_t stream)
{
	unsigned int i;

	for (i = 0; i < qp->failed_streams; i++) {
		if (qp->failed_stream[i] == stream)
			return true;
	}
	return false;
}

bool hca_stream_fail(struct hca_qp *qp, uint16_t stream, uint8_t syndrome)
{
	if (!qp->failed_streams_max)
		return false;
	if (syndrome == HCA_SYND_FLUSH)
		return true;
	if (syndrome < HCA_SYND_REMOTE_INVALID)
		return false;
	qp->failed_stream[qp->failed_streams++] = stream;
	return qp->failed_streams < qp->failed_streams_max;
}

void hca_stream_reset(struct hca_qp *qp, uint16_t stream)
{
	unsigned int i;

	for (i = 0; i < qp->failed_streams; i++) {
		if (qp->failed_stream[i] == stream) {
			qp->failed_stream[i] = qp->failed_stream[--qp->failed_streams];
			return;
		}
	}
}

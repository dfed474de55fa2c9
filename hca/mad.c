/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * MAD_IFC (mad_ifc_in, mad_ifc_out of mlx5_ifc.h): the driver hands over a MAD that came for its
 * port, or that its own host sent to it, and sends what comes back.
 */
#include "hca/opcodes.h"
#include "hca/data.h"
#include "hca/layout.h"

#define CLASS	  1
#define METHOD	  3
#define STATUS	  4
#define ATTRIBUTE 16

#define CLASS_SMP	   0x01
#define CLASS_SMP_DIRECTED 0x81
#define CLASS_PERF	   0x04
#define CLASS_VENDOR	   0x0a

#define GET	 0x01
#define SET	 0x02
#define RESPONSE 0x81

#define BAD_CLASS     0x04
#define BAD_METHOD    0x08
#define BAD_ATTRIBUTE 0x0c

/* The vendor's class, as infiniband-diags' vendstat reads it. */
#define ATTR_CLASS_PORT_INFO 0x01
#define ATTR_GENERAL_INFO    0x17
#define VENDOR_DATA	     24
#define HW_DEVICE_ID	     10 /* behind the data's start; as the next two */
#define FW_INFO		     40 /* -, major, minor, subminor; the PSID 16 bytes behind */
#define SW_INFO		     76

static uint16_t vendor(const struct hca *hca, uint8_t *mad)
{
	uint8_t *data = mad + VENDOR_DATA;

	if (mad[METHOD] != GET)
		return BAD_METHOD;
	if (be16_at(mad, ATTRIBUTE) == ATTR_CLASS_PORT_INFO) {
		memset(data, 0, SUBNET_MAD - VENDOR_DATA);
		data[0] = data[1] = 1; /* base and class version */
		return 0;
	}
	if (be16_at(mad, ATTRIBUTE) != ATTR_GENERAL_INFO)
		return BAD_ATTRIBUTE;
	memset(data, 0, SUBNET_MAD - VENDOR_DATA);
	be16_put(data, HW_DEVICE_ID, hca->params.device_id);
	data[FW_INFO + 1] = HCA_FW_MAJOR;
	data[FW_INFO + 2] = HCA_FW_MINOR;
	data[FW_INFO + 3] = HCA_FW_SUBMINOR & 0xff; /* the field has no more */
	memcpy(data + FW_INFO + 16, HCA_PSID, sizeof(HCA_PSID));
	return 0;
}

enum hca_cmd_status hca_cmd_mad_ifc(struct hca *hca, struct hca_cmd *cmd)
{
	uint8_t *mad = cmd->out + HCA_CMD_CONTEXT;
	uint8_t class;

	if (field_get(cmd->in, MAD_IFC_PORT) != 1)
		return hca_cmd_fail(cmd, HCA_CMD_BAD_PARAM, 0x0d0006);
	memcpy(mad, cmd->in + HCA_CMD_CONTEXT, SUBNET_MAD);
	class = mad[CLASS];
	if (class == CLASS_SMP || class == CLASS_SMP_DIRECTED) {
		subnet_execute(hca->port, cmd->in + HCA_CMD_CONTEXT, mad);
		return HCA_CMD_OK;
	}
	if (class == CLASS_PERF && (mad[METHOD] == GET || mad[METHOD] == SET)) {
		hca_pma_execute(hca, mad);
		return HCA_CMD_OK;
	}
	be16_put(mad, STATUS, class == CLASS_VENDOR ? vendor(hca, mad) : BAD_CLASS);
	mad[METHOD] = RESPONSE;
	return HCA_CMD_OK;
}

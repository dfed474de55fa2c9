// SPDX-License-Identifier: GPL-2.0-only
/* Around the function of docs/application.md. Usage: readme BDF IB-DEVICE */
#include <string.h>

int main(int argc, char **argv)
{
	struct ibv_device **list = ibv_get_device_list(NULL);

	for (int i = 0; argc == 3 && list && list[i]; i++)
		if (!strcmp(ibv_get_device_name(list[i]), argv[2]))
			return register_bar(ibv_alloc_pd(ibv_open_device(list[i])), argv[1],
					    65536) < 0;
	return 2;
}

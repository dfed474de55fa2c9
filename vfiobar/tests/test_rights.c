/* SPDX-License-Identifier: GPL-2.0-only */
/* Users that may do less than all, and descriptors of others, on the machine of fake_vfio.h. */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

#include "vfiobar/tests/fake_vfio.h"
#include "vfiobar/vfiobar.h"

static char root[64];

static int setup(void **state)
{
	(void)state;
	strcpy(root, "/tmp/vfiobar-test-XXXXXX");
	assert_non_null(mkdtemp(root));
	return 0;
}

static int teardown(void **state)
{
	char command[128];

	(void)state;
	snprintf(command, sizeof(command), "rm -rf '%s'", root);
	assert_int_equal(system(command), 0);
	return 0;
}

/* sysfs shows 64 bytes to those without CAP_SYS_ADMIN: no completer, and no MSI-X pages to keep out
 * of. */
static void test_capabilities_not_shown(void **state)
{
	struct vfiobar_layout layout = { .size = sizeof(layout), .vendor = 7 };
	struct vfiobar_msg msg;
	struct vfiobar *dev;

	(void)state;
	fake_vfio_build(root, "vfio-pci", "vfio7", NULL, true);
	fake_vfio_config_shown(64);
	assert_int_equal(vfiobar_read_layout(FAKE_BDF, &layout, &msg), -EACCES);
	assert_string_equal(msg.text, "0000:00:05.0: sysfs shows this user only 64 bytes of its "
				      "configuration space, and so no capabilities (EACCES)");
	assert_int_equal(layout.vendor, 7);
	assert_int_equal(fake.opens, 0);

	/* The device node shows all. */
	assert_int_equal(vfiobar_open(FAKE_BDF, &dev, &msg), 0);
	assert_int_equal(vfiobar_layout(dev)->completer, VFIOBAR_COMPLETER_TPH);
	assert_int_equal(vfiobar_layout(dev)->msix[0].length, 64);
	vfiobar_close(dev);

	/* So it does to those who were given it. */
	assert_int_equal(
		vfiobar_from_fd(open(fake_vfio_node(), O_RDWR | O_CLOEXEC), FAKE_BDF, &dev, &msg),
		0);
	assert_int_equal(vfiobar_layout(dev)->completer, VFIOBAR_COMPLETER_TPH);
	close(vfiobar_fd(dev));
	vfiobar_close(dev);
}

/* A container without the device: its rules say EPERM. */
static void test_group_when_a_container_forbids_the_cdev(void **state)
{
	struct vfiobar_msg msg;
	struct vfiobar *dev;

	(void)state;
	fake_vfio_build(root, "vfio-pci", "vfio7", "9", true);
	fake.cdev_errno = EPERM;
	assert_int_equal(vfiobar_open(FAKE_BDF, &dev, &msg), 0);
	assert_string_equal(vfiobar_access(dev), "group");
	vfiobar_close(dev);
	fake.group_unviable = true;
	dev = (void *)&fake;
	assert_int_equal(vfiobar_open(FAKE_BDF, &dev, &msg), -EPERM);
	assert_string_equal(msg.text, "0000:00:05.0: opening its vfio character device failed: "
				      "Operation not permitted (EPERM); nor by its group (EBUSY)");
	assert_ptr_equal(dev, &fake);
}

/* Two functions of one kind have all in common but the number of their device nodes. */
static void test_node_of_a_twin(void **state)
{
	struct vfiobar *dev = (void *)&fake;
	struct vfiobar_msg msg;
	char text[128];
	int fd;

	(void)state;
	fake_vfio_build(root, "vfio-pci", "vfio7", NULL, true);
	fake_vfio_node_number("511:7\n");
	/* A character device with the number 1:3. */
	fd = open("/dev/null", O_RDWR | O_CLOEXEC);
	assert_true(fd >= 0);
	assert_int_equal(vfiobar_from_fd(fd, FAKE_BDF, &dev, &msg), -EINVAL);
	snprintf(text, sizeof(text),
		 "0000:00:05.0: descriptor %d is the character device of another function", fd);
	assert_string_equal(msg.text, text);
	assert_ptr_equal(dev, &fake);
	/* With its own number it is asked, and has no configuration space. */
	fake_vfio_node_number("1:3\n\n\n");
	assert_int_equal(vfiobar_from_fd(fd, FAKE_BDF, &dev, &msg), -ENODATA);
	close(fd);
	/* The descriptor of a group is no character device. */
	fd = open(fake_vfio_node(), O_RDWR | O_CLOEXEC);
	assert_int_equal(vfiobar_from_fd(fd, FAKE_BDF, &dev, &msg), 0);
	vfiobar_close(dev);
	close(fd);
}

int main(void)
{
#define TEST(t) cmocka_unit_test_setup_teardown(t, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(test_capabilities_not_shown),
		TEST(test_group_when_a_container_forbids_the_cdev),
		TEST(test_node_of_a_twin),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

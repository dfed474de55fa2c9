/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Runs the inputs of files, and of all files in directories, through a target, where there is no
 * libFuzzer. Exit status 0; 1 when there is no input; a finding ends the program as it does there.
 */
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "fuzz/target.h"

static unsigned int inputs;
/* Of the input that runs, for whoever looks at how it ended. */
static char current[4096];

static void at_end(void)
{
	if (current[0])
		fprintf(stderr, "input: %s\n", current);
}

static void run_file(const char *path)
{
	FILE *file = fopen(path, "rb");
	uint8_t *data = malloc(1 << 20);
	size_t size;

	if (!file || !data) {
		perror(path);
		exit(1);
	}
	size = fread(data, 1, 1 << 20, file);
	fclose(file);
	snprintf(current, sizeof(current), "%s", path);
	/* An exact copy, so that reading past the end is seen. */
	data = realloc(data, size ? size : 1);
	if (getenv("FUZZ_VERBOSE"))
		fprintf(stderr, "%s\n", path);
	LLVMFuzzerTestOneInput(data, size);
	current[0] = '\0';
	free(data);
	inputs++;
}

static void run(const char *path)
{
	struct stat st;
	struct dirent **entry;
	int count;

	if (stat(path, &st)) {
		perror(path);
		exit(1);
	}
	if (!S_ISDIR(st.st_mode)) {
		run_file(path);
		return;
	}
	count = scandir(path, &entry, NULL, alphasort);
	for (int i = 0; i < count; i++) {
		char name[4096];

		if (entry[i]->d_name[0] != '.') {
			snprintf(name, sizeof(name), "%s/%s", path, entry[i]->d_name);
			run(name);
		}
		free(entry[i]);
	}
	free(entry);
}

int main(int argc, char **argv)
{
	atexit(at_end);
	LLVMFuzzerInitialize(&argc, &argv);
	for (int i = 1; i < argc; i++)
		run(argv[i]);
	fprintf(stderr, "%u inputs\n", inputs);
	return !inputs;
}

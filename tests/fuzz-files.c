/* SPDX-License-Identifier: MIT */
/*
 * What libFuzzer does with files that it is given, for a target that is built without it: for
 * `make coverage`, whose counts are gcc's, and for `make mutants`, since it is quick.
 */
#include <stdint.h>
#include <stdio.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int main(int argc, char **argv)
{
	for (int i = 1; i < argc; i++) {
		uint8_t bytes[4096];
		FILE *file = fopen(argv[i], "re");

		if (!file) {
			perror(argv[i]);
			return 1;
		}
		(void)LLVMFuzzerTestOneInput(bytes, fread(bytes, 1, sizeof bytes, file));
		(void)fclose(file);
	}
	return 0;
}

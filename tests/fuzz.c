/* SPDX-License-Identifier: MIT */
/*
 * A target for libFuzzer: the reader of images, with any bytes for an image, or for a kernel's
 * configuration. What it may not do is to crash, to hang, to leave memory behind, or to say
 * something that steers a terminal.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "../src/image/archive.h"
#include "../src/image/erofs.h"
#include "../src/image/kconfig.h"
#include "../src/image/kernel.h"
#include "../src/image/pe.h"

static bool look_at(void *closure, const char *path, const struct node *node)
{
	size_t *bytes = closure;

	*bytes += strlen(path) + node->kept;
	return true;
}

static void read_archives(struct source *source, struct failure *failure)
{
	struct archive_facts facts;
	struct tree tree;
	size_t bytes = 0;

	if (!tree_init(&tree))
		return;
	if (archive_read(source, &tree, archive_wish, NULL, &facts, failure))
		(void)tree_lookup(&tree, "init");
	(void)tree_visit(&tree, look_at, &bytes);
	tree_free(&tree);
}

/* A configuration, and behind a NUL the command line. */
static void read_config(const char *bytes, size_t size)
{
	const char *line = memchr(bytes, '\0', size);
	size_t length = line ? (size_t)(line++ - bytes) : size;
	struct kconfig kconfig;

	(void)kconfig_read(&kconfig, (struct text) { bytes, length });
	(void)kconfig_judge(&kconfig, (struct text) { line, line ? size - length - 1 : 0 },
			    KCONFIG_ADDED);
}

static void read_kernel(struct source *source, const struct pe *pe)
{
	static struct source kernel;
	const struct pe_section *section = pe_find(pe, 0, ".linux");
	struct failure failure = { "" };
	char release[256];
	struct text config;
	char *memory;

	if (!section || !pe_open(source, section, &kernel, &failure))
		return;
	kernel_release(&kernel, release, sizeof release);
	memory = kernel_config(&kernel, &config);
	if (memory && (config.bytes < memory || strlen(release) >= sizeof release))
		abort();
	if (memory)
		read_config(config.bytes, config.length);
	free(memory);
}

static void read_uki(struct source *source, struct failure *failure)
{
	static struct pe pe;
	static struct source initramfs;

	if (!pe_read(source, &pe, failure))
		return;
	(void)pe_machine(&pe);
	read_kernel(source, &pe);
	if (pe_initramfs(source, &pe, PE_DEFAULT_PROFILE, &initramfs, failure))
		read_archives(&initramfs, failure);
}

static void read_erofs(int fd, struct failure *failure)
{
	struct tree tree;
	size_t bytes = 0;

	if (!tree_init(&tree))
		return;
	(void)erofs_read(fd, &tree, failure);
	(void)tree_visit(&tree, look_at, &bytes);
	tree_free(&tree);
}

static void check_words(const struct failure *failure)
{
	for (const char *byte = failure->text; *byte; byte++) {
		if (*byte < ' ' || *byte > '~')
			abort();
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const char option[] = "CONFIG_";
	static struct source source;
	struct failure failure = { "" };
	int fd = memfd_create("image", MFD_CLOEXEC);

	if (size >= sizeof option && !memcmp(data, option, sizeof option - 1))
		read_config((const char *)data, size);
	if (fd < 0 || write(fd, data, size) != (ssize_t)size)
		abort();
	if (source_take(&source, fd, &failure)) {
		if (erofs_is(fd))
			read_erofs(fd, &failure);
		else if (pe_is(&source, &failure))
			read_uki(&source, &failure);
		else
			read_archives(&source, &failure);
	}
	check_words(&failure);
	(void)close(fd);
	return 0;
}

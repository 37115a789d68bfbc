/* SPDX-License-Identifier: MIT */
/*
 * noptrace-list: prints the root file system that a kernel would make of an image, for the tests.
 *
 *     noptrace-list IMAGE [NAME FILE]
 *
 * One line for each name, in no order that matters: type and permissions, owner, group, size, sum
 * (as cksum has it, of what is kept; - of what is not kept whole), path, and a link's target. A
 * device has its numbers for a size. The root is "/". What is not printable is escaped. Exit 2,
 * with the reason on stderr, if the image cannot be read. Of a UKI it lists what its first profile
 * boots, and last a line "kernel" with its kernel's release, and the size and sum of the
 * configuration in it, - for what it does not have; of an erofs what erofs_read() makes of it.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../src/image/archive.h"
#include "../src/image/configs.h"
#include "../src/image/erofs.h"
#include "../src/image/kernel.h"
#include "../src/image/limits.h"
#include "../src/image/pe.h"

enum { UNREADABLE = 2, USAGE = 64 };

static char letter_of(mode_t mode)
{
	static const struct {
		mode_t type;
		char letter;
	} types[] = {
		{ S_IFDIR, 'd' }, { S_IFLNK, 'l' }, { S_IFCHR, 'c' },
		{ S_IFBLK, 'b' }, { S_IFIFO, 'p' }, { S_IFSOCK, 's' },
	};

	for (size_t i = 0; i < sizeof types / sizeof *types; i++) {
		if ((mode & S_IFMT) == types[i].type)
			return types[i].letter;
	}
	return '-';
}

static uint32_t add_to_sum(uint32_t sum, unsigned char byte)
{
	sum ^= (uint32_t)byte << 24;
	for (int bit = 0; bit < 8; bit++)
		sum = sum << 1 ^ (sum >> 31 ? 0x04c11db7 : 0);
	return sum;
}

/* By a table: bit by bit it would take longer than to read the image. */
static uint32_t sum_of(const unsigned char *bytes, size_t length, uint64_t size)
{
	static uint32_t table[256];
	uint32_t sum = 0;

	if (table[255] == 0) {
		for (unsigned byte = 0; byte < 256; byte++)
			table[byte] = add_to_sum(0, (unsigned char)byte);
	}
	for (size_t i = 0; i < length; i++)
		sum = sum << 8 ^ table[sum >> 24 ^ bytes[i]];
	for (; size > 0; size >>= 8)
		sum = sum << 8 ^ table[(sum >> 24 ^ size) & 0xff];
	return ~sum;
}

static void print_size(const struct node *node)
{
	if (S_ISCHR(node->mode) || S_ISBLK(node->mode))
		printf("%u,%u -", node->major, node->minor);
	else if (!S_ISREG(node->mode))
		printf("- -");
	else if (node->kept < node->size)
		printf("%llu -", (unsigned long long)node->size);
	else
		printf("%llu %u", (unsigned long long)node->size,
		       sum_of(node->content, node->kept, node->size));
}

static void print_target(const char *target)
{
	char escaped[ESCAPED(KERNEL_PATH)];

	printf(" -> %s", escape(escaped, sizeof escaped, target, strlen(target)));
}

static bool print_node(void *closure, const char *path, const struct node *node)
{
	char *escaped = malloc(ESCAPED(strlen(path)));

	(void)closure;
	if (!escaped)
		return false;
	printf("%c%04o %u %u ", letter_of(node->mode), (unsigned)node->mode & 07777, node->uid,
	       node->gid);
	print_size(node);
	printf(" %s", escape(escaped, ESCAPED(strlen(path)), path, strlen(path)));
	if (node->target)
		print_target(node->target);
	putchar('\n');
	free(escaped);
	return true;
}

/* What goes into a file of its own. */
struct wanted {
	const char *name;
	int fd;
};

static struct wish wish(void *closure, const struct node *folder, const char *name, size_t length)
{
	const struct wanted *wanted = closure;

	if (wanted->name && !folder->label && length == strlen(wanted->name) &&
	    memcmp(name, wanted->name, length) == 0)
		return (struct wish) { 0, wanted->fd };
	return archive_wish(NULL, folder, name, length);
}

static bool print(const struct tree *tree, struct failure *failure)
{
	if (print_node(NULL, "/", tree->root) && tree_visit(tree, print_node, NULL))
		return true;
	return fail(failure, "no memory");
}

static bool list(struct source *source, struct tree *tree, struct wanted *wanted,
		 struct failure *failure)
{
	struct archive_facts facts;

	if (!archive_read(source, tree, wish, wanted, &facts, failure))
		return false;
	if (facts.cut)
		(void)fprintf(stderr,
			      "noptrace-list: the image ends within the entry at byte %llu\n",
			      (unsigned long long)facts.cut_at);
	return print(tree, failure);
}

static bool print_kernel(const struct source *source, const struct pe *pe, struct failure *failure)
{
	static struct source kernel;
	const struct pe_section *section = pe_find(pe, 0, ".linux");
	/* as long as one may be, and written to whether there is one or not */
	char release[64 + 1] = "unwritten";
	struct text config;
	char *memory;

	if (!section)
		return true;
	if (!pe_open(source, section, &kernel, failure))
		return false;
	kernel_release(&kernel, release, sizeof release);
	memory = kernel_config(&kernel, &config);
	printf("kernel %s ", configs_is_version(release) ? release : "-");
	if (memory)
		printf("%zu %u\n", config.length,
		       sum_of((const unsigned char *)config.bytes, config.length, config.length));
	else
		puts("- -");
	free(memory);
	return true;
}

static bool list_uki(const struct source *source, const struct pe *pe, struct tree *tree,
		     struct wanted *wanted, struct failure *failure)
{
	static struct source initramfs;

	return pe_initramfs(source, pe, PE_DEFAULT_PROFILE, &initramfs, failure) &&
	       list(&initramfs, tree, wanted, failure) && print_kernel(source, pe, failure);
}

static bool list_image(struct source *source, struct tree *tree, struct wanted *wanted,
		       struct failure *failure)
{
	static struct pe pe;

	if (erofs_is(source->fd))
		return erofs_read(source->fd, tree, failure) && print(tree, failure);
	if (!pe_is(source, failure))
		return failure->text[0] == '\0' && list(source, tree, wanted, failure);
	return pe_read(source, &pe, failure) && list_uki(source, &pe, tree, wanted, failure);
}

static bool open_wanted(struct wanted *wanted, char **argv, struct failure *failure)
{
	wanted->name = argv[0];
	wanted->fd = open(argv[1], O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
	if (wanted->fd >= 0)
		return true;
	return fail(failure, "%s: %s", argv[1], strerror(errno));
}

int main(int argc, char **argv)
{
	static struct source source;
	struct failure failure = { "" };
	struct wanted wanted = { NULL, -1 };
	struct tree tree;
	bool ok = false;

	if (argc != 2 && argc != 4) {
		(void)fputs("usage: noptrace-list IMAGE [NAME FILE]\n", stderr);
		return USAGE;
	}
	if (!tree_init(&tree))
		(void)fail(&failure, "no memory");
	else if ((argc == 2 || open_wanted(&wanted, argv + 2, &failure)) &&
		 source_open(&source, argv[1], &failure)) {
		ok = list_image(&source, &tree, &wanted, &failure);
		source_close(&source);
	}
	if (ok && !is_written(stdout))
		ok = fail(&failure, "the list cannot be written");
	tree_free(&tree);
	if (wanted.fd >= 0)
		(void)close(wanted.fd);
	if (!ok)
		(void)fprintf(stderr, "noptrace-list: %s\n", failure.text);
	return ok ? 0 : UNREADABLE;
}

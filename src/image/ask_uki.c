/* SPDX-License-Identifier: MIT */
/*
 * noptrace-uki: takes what boots apart, for noptrace-image boot.
 *
 *     noptrace-uki open FILE FOLDER  writes FOLDER/linux and FOLDER/initrd of a UKI, and prints a
 *                                    line for each profile, the default one first: - or, if it is
 *                                    for maintenance, that, a tab, and its command line
 *     noptrace-uki line FILE         prints the command line of what boots when nobody picks
 *     noptrace-uki machine FILE      prints what a kernel, a UKI or an ELF program is for, as
 *                                    uname -m says it; of a program it may be "unknown"
 *
 * Without profiles there is one line. Tabs and newlines in a command line are printed as
 * spaces. Exits 0; 1 if FILE is no UKI, or nothing that is known, and says nothing; 2 with the
 * reason on stdout if it cannot be read, or if not every stub would boot the same of it, see uki.h;
 * 3 with the reason on stdout if FOLDER cannot be written; 64 for usage.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "elf.h"
#include "image.h"
#include "kernel.h"
#include "uki.h"

enum { YES = 0, NO = 1, UNREADABLE = 2, UNWRITABLE = 3, USAGE = 64 };

static const char *machine_of(struct source *source, struct pe *pe, struct failure *failure)
{
	unsigned char bytes[ELF_ENOUGH];
	size_t length = source_copy(source, 0, bytes, sizeof bytes, failure);
	struct elf elf;

	if (elf_read(&elf, bytes, length))
		return elf_machine(&elf);
	/* older ones are no PE files */
	if (kernel_is_bzimage(source, failure))
		return "x86_64";
	return pe_is(source, failure) && pe_read(source, pe, failure) ? pe_machine(pe) : NULL;
}

static int copy_to(struct source *source, int folder, const char *name, struct failure *failure)
{
	int fd = openat(folder, name, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	const unsigned char *data;
	size_t length;
	ssize_t count = fd;
	int code = YES;

	for (uint64_t at = 0; code == YES && count >= 0 && at < source->size; at += (size_t)count) {
		if (!source_at(source, at, &data, &length, failure))
			code = UNREADABLE;
		else
			count = write(fd, data, length);
	}
	if (fd >= 0 && close(fd))
		count = -1;
	if (code == YES && count < 0) {
		(void)fail(failure, "%s: cannot be written: %s", name, strerror(errno));
		code = UNWRITABLE;
	}
	return code;
}

static void put(struct text line)
{
	for (size_t i = 0; i < line.length; i++)
		(void)putchar((unsigned char)line.bytes[i] < ' ' ? ' ' : line.bytes[i]);
	(void)putchar('\n');
}

static bool is_plain(struct text line, struct failure *failure)
{
	const char *odd = uki_odd(line);

	return !odd || fail(failure, ".cmdline %s", odd);
}

static void print_line(const struct line *line)
{
	(void)printf("%s\t", line->maintenance ? "maintenance" : "-");
	put(line->text);
}

static int open_all(struct image *image, struct source *source, int folder, struct failure *failure)
{
	static struct source part;
	int code;

	if (!image_open_uki(image, source, &part, failure))
		return UNREADABLE;
	for (size_t i = 0; i < image->count; i++) {
		if (!is_plain(image->lines[i].text, failure))
			return UNREADABLE;
	}
	code = copy_to(&part, folder, "initrd", failure);
	if (code != YES)
		return code;
	if (!pe_open(source, pe_find(&image->pe, 0, ".linux"), &part, failure))
		return UNREADABLE;
	code = copy_to(&part, folder, "linux", failure);
	for (size_t i = 0; code == YES && i < image->count; i++)
		print_line(&image->lines[i]);
	return code;
}

static int open_uki(struct source *source, const char *path, struct failure *failure)
{
	static struct image image;
	int folder = open(path, O_DIRECTORY | O_CLOEXEC);
	int code = NO;

	if (folder < 0)
		(void)fail(failure, "%s: no folder", path);
	else if (pe_is(source, failure))
		code = open_all(&image, source, folder, failure);
	if (folder >= 0)
		(void)close(folder);
	image_close(&image);
	return code != NO || failure->text[0] == '\0' ? code : UNREADABLE;
}

static int print_default(struct source *source, struct failure *failure)
{
	static struct pe pe;
	const struct pe_section *section;
	char *text = NULL;
	bool plain = true;

	if (!pe_is(source, failure))
		return failure->text[0] == '\0' ? NO : UNREADABLE;
	if (!pe_read(source, &pe, failure) || !uki_is_clear(source, &pe, failure))
		return UNREADABLE;
	section = pe_find(&pe, PE_DEFAULT_PROFILE, ".cmdline");
	if (section) {
		text = uki_text(source, section, UKI_LONGEST, failure);
		if (!text)
			return UNREADABLE;
		plain = is_plain(text_of(text), failure);
	}
	if (plain)
		put(text_of(text ? text : ""));
	free(text);
	return plain ? YES : UNREADABLE;
}

static int print_machine(struct source *source, struct failure *failure)
{
	static struct pe pe;
	const char *machine = machine_of(source, &pe, failure);

	if (!machine)
		return failure->text[0] == '\0' ? NO : UNREADABLE;
	(void)puts(machine);
	return YES;
}

int main(int argc, char **argv)
{
	static struct source source;
	struct failure failure = { "" };
	int code = USAGE;

	if (!(argc == 4 && strcmp(argv[1], "open") == 0) &&
	    !(argc == 3 && (strcmp(argv[1], "line") == 0 || strcmp(argv[1], "machine") == 0))) {
		(void)fputs("usage: noptrace-uki open FILE FOLDER | line FILE | machine FILE\n",
			    stderr);
		return USAGE;
	}
	if (!source_open(&source, argv[2], &failure)) {
		code = UNREADABLE;
	} else {
		code = argc == 4		      ? open_uki(&source, argv[3], &failure)
		       : strcmp(argv[1], "line") == 0 ? print_default(&source, &failure)
						      : print_machine(&source, &failure);
		source_close(&source);
	}
	if (code == UNREADABLE || code == UNWRITABLE)
		puts(failure.text);
	return is_written(stdout) ? code : UNREADABLE;
}

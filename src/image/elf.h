/* SPDX-License-Identifier: MIT */
/*
 * The headers of an ELF program, as far as it matters whether a kernel can run it in an initramfs.
 * The layout is that of elf(5); every field is read within bounds and in the file's own byte order.
 */
#ifndef ELF_H
#define ELF_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* How many bytes of a file elf_read() looks at; its program headers must be among them. */
enum { ELF_ENOUGH = 4096 };

struct elf {
	unsigned char class; /* 1: 32 bits, 2: 64 */
	unsigned char order; /* of bytes; 1: little endian, 2: big */
	unsigned machine;
	bool loader;	   /* has a PT_INTERP or PT_DYNAMIC: it needs a loader, or libraries */
	bool names_loader; /* has a PT_INTERP, */
	uint64_t loader_at, loader_size; /* where it says that this is, which need not be so */
	uint64_t size;			 /* how long the file must be for what its headers name */
};

/*
 * Reads the headers of a file from its first bytes, of which ELF_ENOUGH or the whole file should be
 * there. Returns false, and leaves *elf undefined, if it is no ELF program that a kernel takes,
 * with something to load and a place to start at, or if its program headers are not among these
 * bytes.
 */
bool elf_read(struct elf *elf, const unsigned char *bytes, size_t length);

/* Do two files run on the same machine? */
bool elf_same_machine(const struct elf *one, const struct elf *other);

/* The machine as uname -m says it; "unknown" for those that Linux distributions are not made for.
 */
const char *elf_machine(const struct elf *elf);

#endif

/* SPDX-License-Identifier: MIT */
/*
 * PE files, as systemd's stub and the firmware read them (src/boot/pe.c of systemd): kernels, and
 * unified kernel images, which carry an initramfs, a command line and so on in sections.
 *
 * The sections before the first that is called .profile are everybody's; each .profile begins
 * another profile, whose own sections take the place of those. The first profile boots unless
 * somebody picks another. Of several with one name the first counts; stubs before 256 took the
 * last, so that pe_is_twice() is worth asking. What a section has is VirtualSize bytes, of which
 * the file has no more than SizeOfRawData; the rest is zeros.
 */
#ifndef NOPTRACE_PE_H
#define NOPTRACE_PE_H

#include "limits.h"
#include "source.h"

struct pe_section {
	char name[9];	  /* NUL at the end */
	unsigned profile; /* 0 for everybody's, else the number of the .profile that it follows */
	uint64_t offset, length; /* in the file */
	uint64_t size;		 /* in memory */
	uint64_t address;
	uint64_t room; /* that it takes there: where size is 0, the firmware copies all of it */
	bool read;     /* by a stub or by us, so that it is to be there as the file has it */
};

struct pe {
	uint16_t machine;
	unsigned count, profiles;
	struct pe_section sections[LIMIT_SECTIONS];
};

/* Whether it begins as a PE file does. */
bool pe_is(struct source *source, struct failure *failure);

/*
 * Reads the headers. False, with the reason, for what is no PE file, more than LIMIT_SECTIONS
 * sections, one that is not wholly in the file or has more than 16 MiB of zeros at its end, two
 * that lie over each other in memory, one that lies over the headers, and for base relocations that
 * change a section that is read, the headers or themselves, are not in a section, damaged, or more
 * than LIMIT_RELOCATIONS.
 */
bool pe_read(struct source *source, struct pe *pe, struct failure *failure);

/*
 * The section that counts for a profile, the first being 1; 0 asks for what everybody has. NULL if
 * there is none, or if it is empty.
 */
const struct pe_section *pe_find(const struct pe *pe, unsigned profile, const char *name);

/* Whether somebody's is a device tree, of those that a stub chooses from, too. */
bool pe_has_device_tree(const struct pe *pe);

/* Whether a profile, or what everybody has, holds several of the name. */
bool pe_is_twice(const struct pe *pe, unsigned profile, const char *name);

/* The profile that boots when nobody picks one; without profiles it has what everybody has. */
enum { PE_DEFAULT_PROFILE = 1 };

/* As uname -m has it: x86_64, aarch64, riscv64; NULL for others. */
const char *pe_machine(const struct pe *pe);

/*
 * What the stub gives to the kernel for an initramfs: .ucode and .initrd, one behind the other. The
 * descriptor stays that of `source`. False when the profile has no .initrd.
 */
bool pe_initramfs(const struct source *source, const struct pe *pe, unsigned profile,
		  struct source *initramfs, struct failure *failure);

/* The bytes of one section, to be read like a file: a kernel in .linux, a text in .cmdline. */
bool pe_open(const struct source *source, const struct pe_section *section, struct source *opened,
	     struct failure *failure);

#endif

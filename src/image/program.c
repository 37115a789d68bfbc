/* SPDX-License-Identifier: MIT */
/* What a program must be; see program.h. Pure: the caller reads the file. */
#include "program.h"

const char *program_judge(const unsigned char *bytes, size_t length, uint64_t size, struct elf *elf)
{
	if (!elf_read(elf, bytes, length))
		return "not an ELF program, or cut short; install noptrace again";
	if (elf->size > size)
		return "cut short; install noptrace again";
	if (elf->loader)
		return "needs a loader, which an initramfs may lack; build it static, with 'make'";
	return NULL;
}

const char *program_judge_mode(unsigned mode)
{
	if (mode & 06000)
		return "not of mode 755: it would run as somebody else; install noptrace again";
	return mode & 0111 ? NULL : "not executable; install noptrace again";
}

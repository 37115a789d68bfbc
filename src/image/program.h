/* SPDX-License-Identifier: MIT */
/* What a program must be to run in an initramfs. The one judge of it, for builders and checkers. */
#ifndef NOPTRACE_PROGRAM_H
#define NOPTRACE_PROGRAM_H

#include "elf.h"

/*
 * Judges a file of `size` bytes by its first `length`, of which ELF_ENOUGH or all should be there.
 * Returns NULL, and fills *elf, if it is a whole ELF program that needs no loader; or what is wrong
 * and what to do, as the rest of a line that begins with its name.
 */
const char *program_judge(const unsigned char *bytes, size_t length, uint64_t size,
			  struct elf *elf);

/* The same question of its mode. */
const char *program_judge_mode(unsigned mode);

#endif

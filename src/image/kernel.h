/* SPDX-License-Identifier: MIT */
/*
 * What a kernel's file says about it: its release, and the configuration that it was built with. A
 * kernel is a bzImage for x86; for others an Image, or one that EFI unpacks (CONFIG_EFI_ZBOOT).
 */
#ifndef NOPTRACE_KERNEL_H
#define NOPTRACE_KERNEL_H

#include "source.h"
#include "text.h"

/* Whether it is what x86 boots, and not what a compressed kernel of another machine looks like; not
 * where it cannot be read, for which `failure` has the reason. */
bool kernel_is_bzimage(struct source *kernel, struct failure *failure);

/*
 * Writes its release, as uname -r has it, which the header of a bzImage says. What does not fit is
 * cut, and any byte but a space may be in it. Empty if there is none.
 */
void kernel_release(struct source *kernel, char *release, size_t size);

/*
 * The configuration that is in a kernel of CONFIG_IKCONFIG=y: gzip's, between two marks, in what
 * the kernel unpacks to. `kernel` is of one piece. The bytes are to be freed. NULL if there is
 * none, if there are several, and if all that begins like one takes CONFIG_LARGEST bytes. Where
 * unpacking ends early, at a damage or at a bound of stream.h, what came before counts: the kernel
 * may be no whole one. Time is linear in what it unpacks to.
 */
char *kernel_config(struct source *kernel, struct text *config);

#endif

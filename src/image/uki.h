/* SPDX-License-Identifier: MIT */
/*
 * Unified kernel images, as systemd's stubs read them. Those before 256 take the last section of a
 * name, and for one of a name also what only begins so (src/boot/efi/pe.c), and do not know .ucode;
 * those before 257 know no profiles, so that a profile's command line is everybody's. What is told
 * of a UKI is to hold for each of them, and for each systemd-boot.
 */
#ifndef NOPTRACE_UKI_H
#define NOPTRACE_UKI_H

#include "pe.h"
#include "text.h"

/* A line of a .cmdline is no longer; any kernel's is far shorter. */
enum { UKI_LONGEST = 64 * 1024 };

/*
 * Whether every stub that it may have takes the same sections. False, with the reason, for several
 * of one name, for a name that only begins as .linux, .initrd or .ucode, and for profiles or a
 * .ucode with a stub that is not known to know them.
 */
bool uki_is_clear(const struct source *source, const struct pe *pe, struct failure *failure);

/*
 * The .cmdline that systemd-boot before 257 hands to the stub, whatever stub that is, when nobody
 * picks anything: it knows no profiles, and takes the last. NULL if there is none.
 */
const struct pe_section *uki_last_line(const struct pe *pe);

/* A section as a text, up to a NUL, to be freed. NULL, with the reason, for more than `longest`
 * bytes. */
char *uki_text(const struct source *source, const struct pe_section *section, size_t longest,
	       struct failure *failure);

/* What is wrong with a command line of which not every stub makes the same; NULL if nothing. */
const char *uki_odd(struct text line);

#endif

/* SPDX-License-Identifier: MIT */
/* The points of the program itself: program, executable, static, architecture. */
#include <stdio.h>
#include <string.h>

#include "points.h"
#include "program.h"

const char *points_remedy(const struct image *image)
{
	if (image->init == INIT_HANDMADE)
		return "put the line \"/usr/sbin/noptrace apply || { poweroff -f; exit; }\" into "
		       "/init, right behind the mount of /proc, and the program beside it";
	if (image->init == INIT_INITRAMFS_TOOLS)
		return "opt in with /etc/initramfs-tools/noptrace.conf, and build it anew";
	return "build it with dracut --add noptrace, and let no omit_dracutmodules name it";
}

/* What the program runs beside: the first of these that is an ELF program. */
static const char *find_like(struct image *image, struct elf *elf)
{
	static const char *const paths[] = { "/bin/sh", "/usr/lib/systemd/systemd", "/init" };

	for (size_t i = 0; i < sizeof paths / sizeof *paths; i++) {
		struct text text = text_of_node(image_file(image, paths[i]));
		if (elf_read(elf, (const unsigned char *)text.bytes, text.length))
			return paths[i];
	}
	return NULL;
}

static void architecture(struct image *image, const struct elf *elf)
{
	static const char point[] = "architecture";
	const char *machine = elf_machine(elf);
	const char *kernel = pe_machine(&image->pe);
	struct elf other;
	const char *like = find_like(image, &other);

	if (image->uki && kernel && strcmp(machine, kernel) == 0)
		results_add(image->results, STATUS_OK, point, "%s, as the kernel", machine);
	else if (image->uki)
		results_add(image->results, STATUS_FAIL, point,
			    "/%s: for %s, and the kernel is for %s; install noptrace for that",
			    PROGRAM, machine, kernel ? kernel : "an unknown machine");
	else if (!like)
		results_add(image->results, STATUS_NONE, point,
			    "%s; nothing in the image to compare it with", machine);
	else if (elf_same_machine(elf, &other))
		results_add(image->results, STATUS_OK, point, "%s, as %s", machine, like);
	else
		results_add(image->results, STATUS_FAIL, point,
			    "/%s: for %s, and %s is for %s; install noptrace for that", PROGRAM,
			    machine, like, elf_machine(&other));
}

/* Whether it has a name by which PID 1 could be told to write to it, or to mount something over it,
 * and nobody would see that it is the program. */
static bool has_other_names(struct image *image, const struct node *node)
{
	static const char *const names[] = { "/usr/sbin/noptrace", "/usr/bin/noptrace",
					     "/sbin/noptrace", "/bin/noptrace", NULL };
	const char *full = image_path(image, PROGRAM, TREE_FOLLOW);

	return node->names != 1 || !full || !text_is_any(text_of(full), names);
}

bool points_program(struct image *image)
{
	const struct node *node = image_file(image, PROGRAM);
	struct text text = text_of_node(node);
	const char *wrong;
	struct elf elf;

	if (!node) {
		results_add(image->results, STATUS_FAIL, "program", "/%s: not in the image; %s",
			    PROGRAM, points_remedy(image));
		return false;
	}
	if (image_is_covered(image, PROGRAM, TREE_FOLLOW)) {
		results_add(image->results, STATUS_FAIL, "program",
			    "/%s: leads to where /init mounts over it; %s", PROGRAM,
			    points_remedy(image));
		return false;
	}
	if (has_other_names(image, node))
		results_add(image->results, STATUS_FAIL, "program",
			    "/%s: a link, or has another name, by which others may write to it; "
			    "put the file itself there",
			    PROGRAM);
	else
		results_add(image->results, STATUS_OK, "program", "/%s", PROGRAM);
	if (program_judge_mode(node->mode))
		results_add(image->results, STATUS_FAIL, "executable",
			    "/%s: mode %o; make it 755 before the image is built", PROGRAM,
			    (unsigned)node->mode & 07777);
	else
		results_add(image->results, STATUS_OK, "executable", "mode %o",
			    (unsigned)node->mode & 07777);
	wrong = program_judge((const unsigned char *)text.bytes, text.length, node->size, &elf);
	if (wrong)
		results_add(image->results, STATUS_FAIL, "static", "/%s: %s", PROGRAM, wrong);
	else
		results_add(image->results, STATUS_OK, "static", "needs no loader and no library");
	if (elf_read(&elf, (const unsigned char *)text.bytes, text.length))
		architecture(image, &elf);
	else
		results_add(image->results, STATUS_NONE, "architecture",
			    "unknown: it is no ELF program");
	return true;
}

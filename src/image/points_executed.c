/* SPDX-License-Identifier: MIT */
/* Whether a kernel can execute what an image runs, as points.h has it. */
#include <stdio.h>
#include <string.h>

#include "elf.h"
#include "limits.h"
#include "points.h"
#include "shell.h"

/* Whether an interpreter that is given this runs the script, and all of it: a busybox the name that
 * it has for its shell, and a shell nothing, or options that change neither. */
static bool runs_all(const char *interpreter, struct text argument)
{
	static const char *const shells[] = { "sh", "ash", "bash", "dash", NULL };
	const char *name = shell_base_name(interpreter);

	if (strcmp(name, "busybox") == 0)
		return text_is(argument, "sh") || text_is(argument, "ash");
	if (!text_is_any(text_of(name), shells))
		return false;
	return argument.length == 0 || shell_is_option(argument);
}

/* The interpreter in the first line of a script, which each kernel is to read whole, as
 * fs/binfmt_script.c does it: before Linux 5.1 in the first 128 bytes of the file. */
static bool script_interpreter(struct text text, char *to, size_t size)
{
	enum { WHOLE = 126 };
	static const char blanks[] = " \t";
	struct text line;
	size_t length = 0;

	(void)text_line(&text, &line);
	if (line.length > WHOLE)
		return false;
	line = text_strip(text_from(line, 2), blanks);
	while (length < line.length && !text_byte_is_any(line.bytes[length], blanks))
		length++;
	(void)snprintf(to, size, "%.*s", (int)length, line.bytes);
	return runs_all(to, text_strip(text_from(line, length), blanks));
}

/* The loader that an ELF program names; nothing if it names none. False for a name that the kernel
 * refuses (fs/binfmt_elf.c), or that is too long or too far behind to be seen. */
static bool elf_interpreter(struct text text, const struct elf *elf, char *to, size_t size)
{
	if (!elf->names_loader)
		return true;
	if (elf->loader_size < 2 || elf->loader_size > size || elf->loader_at > text.length ||
	    elf->loader_size > text.length - elf->loader_at ||
	    text.bytes[elf->loader_at + elf->loader_size - 1] != '\0')
		return false;
	memcpy(to, text.bytes + elf->loader_at, elf->loader_size);
	return true;
}

/* Whether it is for another machine than the program, which is looked at for itself. */
static bool is_foreign(struct image *image, const struct elf *elf)
{
	struct text text = text_of_node(image_file(image, PROGRAM));
	struct elf program;

	return elf_read(&program, (const unsigned char *)text.bytes, text.length) &&
	       !elf_same_machine(elf, &program);
}

/* What keeps one file from running; NULL if nothing, with what it is run by in `next`, or "".
 * `loader` is whether it is to run a program, which no script may, and then whether `next` is. */
static const char *cannot_run(struct image *image, const struct node *node, bool *loader,
			      char *next, size_t size)
{
	struct text text = text_of_node(node);
	bool script = text_begins(text, "#!") && !*loader;
	struct elf elf;

	next[0] = '\0';
	*loader = !script;
	if (!node)
		return "not in the image";
	if (!(node->mode & 0111))
		return "not executable";
	if (script)
		return script_interpreter(text, next, size)
			   ? NULL
			   : "names no shell that a kernel takes, or passes it what is not known";
	if (!elf_read(&elf, (const unsigned char *)text.bytes, text.length))
		return "neither a program nor a script";
	if (!elf_interpreter(text, &elf, next, size))
		return "names no loader that a kernel takes";
	if (is_foreign(image, &elf))
		return "for another machine than /" PROGRAM;
	return NULL;
}

const char *points_cannot_run(struct image *image, const char *path, bool later, char *room,
			      size_t size)
{
	char next[256];
	char now[KERNEL_PATH];
	bool loader = false;

	(void)snprintf(now, sizeof now, "%s", path);
	/* fewer than any kernel takes */
	for (int i = 0; i < 5; i++) {
		const char *wrong =
		    later && image_is_covered(image, now, TREE_FOLLOW)
			? "not there once something is mounted over it"
			: cannot_run(image, image_file(image, now), &loader, next, sizeof next);
		if (wrong) {
			(void)snprintf(room, size, "%s: %s", now, wrong);
			return room;
		}
		if (next[0] == '\0')
			return NULL;
		(void)snprintf(now, sizeof now, "%s", next);
	}
	(void)snprintf(room, size, "%s: too many interpreters behind each other", path);
	return room;
}

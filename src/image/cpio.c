/* SPDX-License-Identifier: MIT */
/*
 * The kernel's walk over plain archives: the states, and what they do with bytes. What an entry
 * does to the tree is in cpio_entry.c; cpio.h has the rules.
 */
#include <string.h>
#include <sys/stat.h>

#include "cpio.h"
#include "cpio_internal.h"
#include "limits.h"

void cpio_init(struct cpio *cpio, struct tree *tree, struct failure *failure,
	       struct wish (*wish)(void *closure, const struct node *folder, const char *name,
				   size_t length),
	       void *closure)
{
	*cpio = (struct cpio) {
		.tree = tree,
		.failure = failure,
		.wish = wish,
		.closure = closure,
		.state = CPIO_START,
		/* as the kernel's own archive, which it walks before, has left it */
		.next = CPIO_RESET,
	};
}

void cpio_free(struct cpio *cpio)
{
	cpio_forget(cpio);
}

void cpio_begin(struct cpio *cpio, uint64_t at, const char *where)
{
	cpio->at = at;
	cpio->where = where;
}

void cpio_start(struct cpio *cpio)
{
	cpio->state = CPIO_START;
}

/* N_ALIGN: a name and its padding, behind a header of 110 bytes. */
static uint64_t padded_name(uint64_t size)
{
	return ((size + 1) & ~(uint64_t)3) + 2;
}

static void collect(struct cpio *cpio, size_t size, enum cpio_state behind)
{
	cpio->have = 0;
	cpio->need = size;
	cpio->behind = behind;
	cpio->state = CPIO_COLLECT;
}

/* The bytes that the walk was given, and what is left of them. */
struct input {
	const unsigned char *data;
	size_t length;
	bool border;
};

static void eat(struct cpio *cpio, struct input *input, size_t count)
{
	input->data += count;
	input->length -= count;
	cpio->at += count;
}

static size_t part_of(const struct input *input, uint64_t wanted)
{
	return wanted < input->length ? (size_t)wanted : input->length;
}

/* Each state returns whether the walk goes on; it ends when it has no bytes left, and on a failure.
 */

static bool do_start(struct cpio *cpio)
{
	cpio->entry = cpio->at;
	collect(cpio, CPIO_HEADER_LENGTH, CPIO_HEADER);
	return true;
}

static bool do_collect(struct cpio *cpio, struct input *input)
{
	size_t part = part_of(input, cpio->need - cpio->have);

	memcpy(cpio->buffer + cpio->have, input->data, part);
	cpio->have += part;
	eat(cpio, input, part);
	if (cpio->have == cpio->need) {
		cpio->state = cpio->behind;
		return true;
	}
	/*
	 * Where its buffer ends within something, the kernel notes what comes behind it in the
	 * same place as what comes behind an entry that is skipped.
	 */
	if (input->border)
		cpio->next = cpio->behind;
	return false;
}

static bool hexadecimal(const char *digits, uint32_t *number)
{
	*number = 0;
	for (int i = 0; i < 8; i++) {
		unsigned digit = (unsigned char)digits[i];
		unsigned letter = (digit | 0x20) - 'a';
		if (digit - '0' < 10)
			digit -= '0';
		else if (letter < 6)
			digit = letter + 10;
		else
			return false;
		*number = *number << 4 | digit;
	}
	return true;
}

static bool parse_header(struct cpio *cpio)
{
	uint32_t fields[13];

	for (size_t i = 0; i < sizeof fields / sizeof *fields; i++) {
		if (!hexadecimal(cpio->buffer + 6 + 8 * i, &fields[i]))
			return cpio_fail(cpio, "a number that is not hexadecimal, "
					       "of which not all kernels make the same");
	}
	cpio->inode = fields[0];
	cpio->mode = fields[1] & 0xffff;
	cpio->uid = fields[2];
	cpio->gid = fields[3];
	cpio->links = fields[4];
	cpio->body = fields[6];
	cpio->major = fields[7];
	cpio->minor = fields[8];
	/* MKDEV(): a minor number of more than 20 bits runs into the major one */
	cpio->rmajor = (fields[9] << 20 | fields[10]) >> 20;
	cpio->rminor = fields[10] & 0xfffff;
	cpio->name_size = fields[11];
	return true;
}

static bool read_magic(struct cpio *cpio)
{
	if (memcmp(cpio->buffer, "070701", 6) == 0)
		return true;
	if (memcmp(cpio->buffer, "070702", 6) == 0)
		return cpio_fail(cpio, "an entry with a sum, as of cpio -H crc, which not all "
				       "kernels take");
	if (memcmp(cpio->buffer, "070707", 6) == 0)
		return cpio_fail(cpio, "incorrect cpio method used: use -H newc option");
	return cpio_fail(cpio, "no cpio magic");
}

/* Which of an entry's parts are read before it is skipped. */
static void choose_parts(struct cpio *cpio)
{
	uint64_t name = padded_name(cpio->name_size);

	cpio->state = CPIO_SKIP;
	if (cpio->name_size == 0 || cpio->name_size > KERNEL_PATH)
		return;
	if (S_ISLNK(cpio->mode)) {
		if (cpio->body <= KERNEL_PATH)
			collect(cpio, (size_t)(name + cpio->body), CPIO_LINK);
	} else if (S_ISREG(cpio->mode) || cpio->body == 0) {
		collect(cpio, (size_t)name, CPIO_NAME);
	}
}

static bool do_header(struct cpio *cpio)
{
	/*
	 * The kernel comes here a second time with the same header where the border of its buffer
	 * was within it and the entry was skipped: the offset is another one then.
	 */
	if (++cpio->entries > LIMIT_ENTRIES)
		return cpio_fail(cpio, "more than 250,000 entries: too many to be looked at");
	if (!read_magic(cpio) || !parse_header(cpio))
		return false;
	cpio->end = cpio->at + padded_name(cpio->name_size) + cpio->body;
	cpio->end = (cpio->end + 3) & ~(uint64_t)3;
	choose_parts(cpio);
	return true;
}

static bool do_skip(struct cpio *cpio, struct input *input)
{
	eat(cpio, input, part_of(input, cpio->end - cpio->at));
	if (cpio->at < cpio->end)
		return false;
	cpio->state = cpio->next;
	return true;
}

static bool do_reset(struct cpio *cpio, struct input *input)
{
	while (input->length > 0 && *input->data == 0)
		eat(cpio, input, 1);
	if (input->length > 0 && (cpio->at & 3) != 0) {
		cpio->entry = cpio->at;
		(void)cpio_fail(cpio, "broken padding: something begins here that is not at a "
				      "multiple of 4");
	}
	return false;
}

static bool ends_in_nul(struct cpio *cpio)
{
	return cpio->buffer[cpio->name_size - 1] == '\0' ||
	       cpio_fail(cpio, "malformed archive: a name without its end");
}

static void leave_entry(struct cpio *cpio)
{
	cpio->state = CPIO_SKIP;
	cpio->next = CPIO_RESET;
}

static bool do_name(struct cpio *cpio)
{
	leave_entry(cpio);
	if (!ends_in_nul(cpio))
		return false;
	if (strcmp(cpio->buffer, "TRAILER!!!") == 0) {
		cpio_forget(cpio);
		return true;
	}
	if (!cpio_enter(cpio))
		return false;
	if (cpio->file) {
		cpio->left = cpio->body;
		cpio->state = CPIO_COPY;
	}
	return true;
}

static bool do_link(struct cpio *cpio)
{
	size_t target = (size_t)padded_name(cpio->name_size);

	leave_entry(cpio);
	if (!ends_in_nul(cpio))
		return false;
	cpio->buffer[target + cpio->body] = '\0';
	return cpio_enter_link(cpio, cpio->buffer + target);
}

static bool do_copy(struct cpio *cpio, struct input *input)
{
	size_t part = part_of(input, cpio->left);

	if (!cpio_write(cpio, cpio->body - cpio->left, input->data, part))
		return false;
	cpio->left -= part;
	eat(cpio, input, part);
	if (cpio->left > 0)
		return false;
	cpio->state = CPIO_SKIP;
	return true;
}

static bool act(struct cpio *cpio, struct input *input)
{
	switch (cpio->state) {
	case CPIO_START:
		return do_start(cpio);
	case CPIO_COLLECT:
		return do_collect(cpio, input);
	case CPIO_HEADER:
		return do_header(cpio);
	case CPIO_SKIP:
		return do_skip(cpio, input);
	case CPIO_NAME:
		return do_name(cpio);
	case CPIO_COPY:
		return do_copy(cpio, input);
	case CPIO_LINK:
		return do_link(cpio);
	default:
		return do_reset(cpio, input);
	}
}

size_t cpio_walk(struct cpio *cpio, const unsigned char *data, size_t length, bool border)
{
	struct input input = { data, length, border };

	while (cpio->failure->text[0] == '\0' && act(cpio, &input))
		;
	return length - input.length;
}

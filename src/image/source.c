/* SPDX-License-Identifier: MIT */
/* Reads an image's bytes; source.h says how. */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "limits.h"
#include "source.h"

static bool measure(int fd, uint64_t *size, struct failure *failure)
{
	struct stat status;

	if (fstat(fd, &status) != 0)
		return fail(failure, "%s", strerror(errno));
	if (!S_ISREG(status.st_mode))
		return fail(failure, "not a regular file");
	if ((uint64_t)status.st_size > LIMIT_IMAGE)
		return fail(failure, "more than %llu bytes: too large to be looked at",
			    (unsigned long long)LIMIT_IMAGE);
	*size = (uint64_t)status.st_size;
	return true;
}

static void reset(struct source *source, int fd)
{
	source->fd = fd;
	source->size = 0;
	source->count = 0;
	source->buffered = 0;
	source->filled = 0;
}

bool source_take(struct source *source, int fd, struct failure *failure)
{
	uint64_t size = 0;

	reset(source, fd);
	return measure(fd, &size, failure) && source_append(source, 0, size, size, failure);
}

bool source_open(struct source *source, const char *path, struct failure *failure)
{
	/* without waiting for the other end of a FIFO, or becoming a terminal's owner */
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);

	if (fd < 0)
		return fail(failure, "%s", strerror(errno));
	if (source_take(source, fd, failure))
		return true;
	source_close(source);
	return false;
}

void source_close(const struct source *source)
{
	(void)close(source->fd);
}

void source_begin(struct source *source, const struct source *of)
{
	reset(source, of->fd);
}

bool source_append(struct source *source, uint64_t offset, uint64_t length, uint64_t size,
		   struct failure *failure)
{
	uint64_t whole = 0;
	uint64_t at = (source->size + 3) & ~(uint64_t)3;

	if (!measure(source->fd, &whole, failure))
		return false;
	if (source->count == SOURCE_PIECES)
		return fail(failure, "more than %d pieces", SOURCE_PIECES);
	if (offset > whole || length > whole - offset || length > size || size > LIMIT_IMAGE)
		return fail(failure, "byte %llu: the file ends before what should be here",
			    (unsigned long long)offset);
	source->pieces[source->count++] = (struct piece) { at, offset, length };
	source->size = at + size;
	return true;
}

/* The piece that `at` is in, or behind which it is. */
static const struct piece *piece_of(const struct source *source, uint64_t at)
{
	unsigned i = source->count - 1;

	/* the first begins at 0 */
	while (source->pieces[i].at > at)
		i--;
	return &source->pieces[i];
}

static uint64_t piece_end(const struct source *source, const struct piece *piece)
{
	return piece + 1 < source->pieces + source->count ? piece[1].at : source->size;
}

static size_t fitting(uint64_t length)
{
	return length < SOURCE_BUFFER ? (size_t)length : SOURCE_BUFFER;
}

static bool fill_from_file(struct source *source, uint64_t offset, size_t length,
			   struct failure *failure)
{
	while (source->filled < length) {
		ssize_t got = pread(source->fd, source->buffer + source->filled,
				    length - source->filled, (off_t)(offset + source->filled));
		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			return fail(failure, "byte %llu: %s", (unsigned long long)offset,
				    strerror(errno));
		if (got == 0)
			return fail(failure, "byte %llu: the file was cut while it was read",
				    (unsigned long long)offset);
		source->filled += (size_t)got;
	}
	return true;
}

static bool fill(struct source *source, uint64_t at, struct failure *failure)
{
	const struct piece *piece = piece_of(source, at);
	uint64_t into = at - piece->at;

	source->buffered = at;
	source->filled = 0;
	if (into < piece->length)
		return fill_from_file(source, piece->offset + into, fitting(piece->length - into),
				      failure);
	source->filled = fitting(piece_end(source, piece) - at);
	memset(source->buffer, 0, source->filled);
	return true;
}

bool source_at(struct source *source, uint64_t offset, const unsigned char **data, size_t *length,
	       struct failure *failure)
{
	*data = source->buffer;
	*length = 0;
	if (offset >= source->size)
		return true;
	if ((offset < source->buffered || offset - source->buffered >= source->filled) &&
	    !fill(source, offset, failure)) {
		source->filled = 0;
		return false;
	}
	*data = source->buffer + (offset - source->buffered);
	*length = source->filled - (size_t)(offset - source->buffered);
	return true;
}

size_t source_copy(struct source *source, uint64_t offset, void *to, size_t size,
		   struct failure *failure)
{
	unsigned char *next = to;
	size_t copied = 0;
	const unsigned char *data = NULL;
	size_t length = 0;

	while (copied < size && source_at(source, offset + copied, &data, &length, failure) &&
	       length > 0) {
		size_t part = length < size - copied ? length : size - copied;
		memcpy(next + copied, data, part);
		copied += part;
	}
	return copied;
}

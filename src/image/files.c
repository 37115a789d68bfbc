/* SPDX-License-Identifier: MIT */
/* Files of this machine; see files.h. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

#include "files.h"

static int open_regular(const char *path, struct failure *failure)
{
	int fd = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	struct stat about;

	if (fd >= 0 && fstat(fd, &about) == 0 && S_ISREG(about.st_mode))
		return fd;
	(void)fail(failure, "%s: %s", path, fd < 0 ? strerror(errno) : "not a file");
	if (fd >= 0)
		(void)close(fd);
	return -1;
}

/* gzread() takes a file that is not compressed as it is. Of one that is cut short, or damaged, it
 * hands out what is before that, and only gzerror() tells. */
static ssize_t read_unpacked(int fd, char *bytes, size_t size)
{
	gzFile file = gzdopen(fd, "r");
	int count = -1;
	int error = Z_OK;

	if (!file) {
		(void)close(fd);
		return -1;
	}
	count = gzread(file, bytes, (unsigned)size);
	(void)gzerror(file, &error);
	(void)gzclose(file);
	return error == Z_OK ? count : -1;
}

static ssize_t read_plain(int fd, char *bytes, size_t size)
{
	size_t length = 0;
	ssize_t count = 0;

	while (length < size && (count = read(fd, bytes + length, size - length)) > 0)
		length += (size_t)count;
	(void)close(fd);
	return count < 0 ? -1 : (ssize_t)length;
}

char *files_read(const char *path, size_t longest, bool unpack, struct text *text,
		 struct failure *failure)
{
	int fd = open_regular(path, failure);
	char *bytes;
	ssize_t length;

	if (fd < 0)
		return NULL;
	bytes = malloc(longest + 1);
	if (!bytes) {
		(void)close(fd);
		(void)fail(failure, "no memory");
		return NULL;
	}
	length =
	    unpack ? read_unpacked(fd, bytes, longest + 1) : read_plain(fd, bytes, longest + 1);
	if (length >= 0 && (size_t)length <= longest) {
		*text = (struct text) { bytes, (size_t)length };
		return bytes;
	}
	(void)fail(failure, "%s: %s", path, length < 0 ? "cannot be read" : "too large");
	free(bytes);
	return NULL;
}

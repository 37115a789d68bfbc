/* SPDX-License-Identifier: MIT */
/*
 * What was found in one or several images, and the formats that it is given out in, which
 * noptrace-image(8) documents: a change of their shape is a change of the interface. Nobody else
 * in the tree writes these formats.
 */
#ifndef NOPTRACE_RESULTS_H
#define NOPTRACE_RESULTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

enum status { STATUS_OK, STATUS_FAIL, STATUS_WARN, STATUS_NONE };

struct result {
	unsigned image; /* the number of the one it belongs to */
	enum status status;
	char *point, *text;
};

/* An image: its path, the exit code that it stands for, and that code in words. */
struct verdict {
	char *image;
	int code;
	const char *words;
};

struct results {
	struct result *results;
	size_t count;
	struct verdict *verdicts;
	size_t images;
	bool failed; /* memory was short: what is here is not all */
};

/* Nothing is asked of it behind that. */
void results_free(struct results *results);

/*
 * Adds a result of the image that comes next to results_conclude(), its text in the manner of
 * printf. What is not printable in it becomes '?', what is not UTF-8 is left out, and it is cut
 * after 1,000 bytes: whatever a file in an image is called, or says, steers no terminal.
 */
void results_add(struct results *results, enum status status, const char *point, const char *format,
		 ...) __attribute__((format(printf, 4, 5)));

/* Ends the results of an image with the exit code that it stands for; one that is not among those
 * of results_code() is taken for 2. Its path becomes printable in the same way. */
void results_conclude(struct results *results, const char *image, int code);

/* The words for a status: ok, FAIL, warn, n/a; and back, -1 for others. */
const char *results_status(enum status status);
int results_status_of(const char *word);

/* How many results of an image have a status. */
size_t results_count(const struct results *results, size_t image, enum status status);

/* Forgets what was added for the image at hand. */
void results_drop(struct results *results);

/*
 * Writes the names of the points of an image that have a status, with ", " between them; cut if
 * they do not fit. Returns `to`.
 */
char *results_points(const struct results *results, size_t image, enum status status, char *to,
		     size_t size);

/*
 * The exit code for all images, the most serious: a file that cannot be read (2) before an image
 * that does not lock (1), panicked (255), timed out (124), was skipped (77), or cannot be told (3).
 */
int results_code(const struct results *results);

/* Makes text printable in place, as results_add() does. It only becomes shorter. */
void results_clean(char *text);

/*
 * Writes them to stdout in the format "text", "json", "tap" or "none", and, unless `junit` is NULL,
 * to that stream as JUnit's XML. `call` is check or boot. Colours are for a terminal, and NO_COLOR
 * keeps them away.
 */
bool results_print(const struct results *results, const char *call, const char *format,
		   FILE *junit);

#endif

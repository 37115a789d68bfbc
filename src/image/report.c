/* SPDX-License-Identifier: MIT */
/*
 * noptrace-report: gives out what noptrace-image boot has found, in the formats of results.h.
 *
 *     noptrace-report CALL text|json|tap|none [JUNIT-FILE]
 *
 * stdin has a line for each result, "result", its status, point and text, and behind those of an
 * image one for that, "image", its exit code and path; with a tab between each. Exits with
 * the code of all images, with 2 if that is not so, there is no image, or something cannot be
 * written, 64 for usage. A format that is none of these is none.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "results.h"

enum { UNREADABLE = 2, USAGE = 64 };

static bool take_line(struct results *results, char *line)
{
	const char *kind;
	const char *first;
	const char *point;
	char *end = NULL;
	int status;

	line[strcspn(line, "\n")] = '\0';
	kind = strsep(&line, "\t");
	first = strsep(&line, "\t");
	if (!line)
		return false;
	if (strcmp(kind, "image") == 0) {
		results_conclude(results, line, (int)strtol(first, &end, 10));
		return end != first && *end == '\0';
	}
	status = results_status_of(first);
	point = strsep(&line, "\t");
	if (!line || strcmp(kind, "result") != 0 || status < 0)
		return false;
	results_add(results, (enum status)status, point, "%s", line);
	return true;
}

static bool take_all(struct results *results)
{
	char *line = NULL;
	size_t size = 0;
	bool ok = true;

	while (ok && getline(&line, &size, stdin) >= 0)
		ok = take_line(results, line);
	free(line);
	/* nothing is behind the last image, which there is */
	return ok && !ferror(stdin) && results->images > 0 &&
	       (results->count == 0 ||
		results->results[results->count - 1].image < results->images);
}

int main(int argc, char **argv)
{
	struct results results = { 0 };
	FILE *junit = NULL;
	int code = UNREADABLE;
	bool taken;

	if (argc != 3 && argc != 4) {
		(void)fputs("usage: noptrace-report CALL text|json|tap|none [JUNIT-FILE]\n",
			    stderr);
		return USAGE;
	}
	taken = take_all(&results);
	if (argc == 4)
		junit = fopen(argv[3], "we");
	if (argc == 4 && !junit)
		(void)fprintf(stderr, "noptrace-image: %s: %s\n", argv[3], strerror(errno));
	else if (results.failed)
		(void)fputs("noptrace-image: no memory\n", stderr);
	else if (!taken)
		(void)fputs("noptrace-report: stdin does not have the results of images\n", stderr);
	else if (results_print(&results, argv[1], argv[2], junit))
		code = results_code(&results);
	else
		(void)fputs("noptrace-image: the results cannot be written\n", stderr);
	if (junit)
		(void)fclose(junit);
	results_free(&results);
	return code;
}

/* SPDX-License-Identifier: MIT */
/* The formats of results.h. All text is clean already: see results_add(). */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "results.h"

static bool write_text(const struct results *results, FILE *to, bool colours)
{
	static const char *const shades[] = {
		[STATUS_OK] = "\033[32m",
		[STATUS_FAIL] = "\033[31m",
		[STATUS_WARN] = "\033[33m",
		[STATUS_NONE] = "\033[2m",
	};

	for (size_t image = 0; image < results->images; image++) {
		(void)fprintf(to, "%s: %s\n", results->verdicts[image].image,
			      results->verdicts[image].words);
		for (size_t i = 0; i < results->count; i++) {
			const struct result *result = &results->results[i];
			if (result->image != image)
				continue;
			(void)fprintf(to, "  %s%-4s%s  %-12s  %s\n",
				      colours ? shades[result->status] : "",
				      results_status(result->status), colours ? "\033[0m" : "",
				      result->point, result->text);
		}
	}
	return !ferror(to);
}

/* Is there an exit status that none of its points tells, because something could not be? That is
 * one more test, which fails, where programs go by these alone; but for an image that was skipped.
 */
static bool is_undecided(const struct results *results, size_t image)
{
	enum { SKIPPED = 77 };
	int code = results->verdicts[image].code;

	return code != 0 && code != SKIPPED && results_count(results, image, STATUS_FAIL) == 0;
}

/* What follows a # would be a directive, and a backslash would escape. */
static void tap_name(const char *image, const char *point, FILE *to)
{
	for (; *image != '\0'; image++) {
		if (*image == '#' || *image == '\\')
			(void)fputc('\\', to);
		(void)fputc(*image, to);
	}
	(void)fprintf(to, ": %s", point);
}

/* TAP 13: a point that does not apply is a skipped one, a warning is one that passed, with its
 * text. */
static bool write_tap(const struct results *results, FILE *to)
{
	size_t number = results->count;

	for (size_t image = 0; image < results->images; image++)
		number += is_undecided(results, image);
	(void)fprintf(to, "TAP version 13\n1..%zu\n", number);
	for (size_t i = 0; i < results->count; i++) {
		const struct result *result = &results->results[i];
		(void)fprintf(to, "%sok %zu - ", result->status == STATUS_FAIL ? "not " : "",
			      i + 1);
		tap_name(results->verdicts[result->image].image, result->point, to);
		if (result->status == STATUS_NONE)
			(void)fprintf(to, " # SKIP %s", result->text);
		if (result->status == STATUS_WARN)
			(void)fprintf(to, "\n# warn: %s", result->text);
		if (result->status == STATUS_FAIL)
			(void)fprintf(to, "\n# %s", result->text);
		(void)fputc('\n', to);
	}
	number = results->count;
	for (size_t image = 0; image < results->images; image++) {
		if (!is_undecided(results, image))
			continue;
		(void)fprintf(to, "not ok %zu - ", ++number);
		tap_name(results->verdicts[image].image, "verdict", to);
		(void)fprintf(to, "\n# %s\n", results->verdicts[image].words);
	}
	return !ferror(to);
}

/* "name": "text" */
static void json_text(const char *name, const char *text, FILE *to)
{
	(void)fprintf(to, "\"%s\": \"", name);
	for (; *text != '\0'; text++) {
		if (*text == '"' || *text == '\\')
			(void)fputc('\\', to);
		(void)fputc(*text, to);
	}
	(void)fputc('"', to);
}

static void json_points(const struct results *results, size_t image, FILE *to)
{
	const char *before = "\n        {\n          ";

	for (size_t i = 0; i < results->count; i++) {
		const struct result *result = &results->results[i];
		if (result->image != image)
			continue;
		(void)fputs(before, to);
		json_text("point", result->point, to);
		(void)fputs(",\n          ", to);
		json_text("status", results_status(result->status), to);
		(void)fputs(",\n          ", to);
		json_text("text", result->text, to);
		(void)fputs("\n        }", to);
		before = ",\n        {\n          ";
	}
}

/* By hand: what json-c makes of it lacks something when memory is short, and it does not say so. */
static bool write_json(const struct results *results, FILE *to, const char *call)
{
	(void)fputs("{\n  \"format\": 1,\n  ", to);
	json_text("call", call, to);
	(void)fprintf(to, ",\n  \"exit\": %d,\n  \"images\": [", results_code(results));
	for (size_t image = 0; image < results->images; image++) {
		(void)fprintf(to, "%s\n    {\n      ", image > 0 ? "," : "");
		json_text("image", results->verdicts[image].image, to);
		(void)fputs(",\n      ", to);
		json_text("verdict", results->verdicts[image].words, to);
		(void)fprintf(to, ",\n      \"exit\": %d,\n      \"points\": [",
			      results->verdicts[image].code);
		json_points(results, image, to);
		(void)fputs("\n      ]\n    }", to);
	}
	(void)fputs("\n  ]\n}\n", to);
	return !ferror(to);
}

static void xml(const char *text, FILE *to)
{
	for (; *text != '\0'; text++) {
		switch (*text) {
		case '&':
			(void)fputs("&amp;", to);
			break;
		case '<':
			(void)fputs("&lt;", to);
			break;
		case '>':
			(void)fputs("&gt;", to);
			break;
		case '"':
			(void)fputs("&quot;", to);
			break;
		default:
			(void)fputc(*text, to);
		}
	}
}

static void junit_case(const struct result *result, FILE *to, const char *call)
{
	(void)fprintf(to, "    <testcase classname=\"noptrace-image.%s\" name=\"", call);
	xml(result->point, to);
	(void)fputs("\">", to);
	if (result->status == STATUS_FAIL)
		(void)fputs("<failure message=\"", to);
	else if (result->status == STATUS_NONE)
		(void)fputs("<skipped message=\"", to);
	else
		(void)fprintf(to, "<system-out>%s: ", results_status(result->status));
	xml(result->text, to);
	(void)fputs(result->status == STATUS_FAIL || result->status == STATUS_NONE
			? "\"/>"
			: "</system-out>",
		    to);
	(void)fputs("</testcase>\n", to);
}

/* A suite for each image, a case for each point, and for what has none. */
static bool write_junit(const struct results *results, FILE *to, const char *call)
{
	(void)fputs("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
		    "<testsuites name=\"noptrace-image\">\n",
		    to);
	for (size_t image = 0; image < results->images; image++) {
		size_t failed = results_count(results, image, STATUS_FAIL);
		size_t skipped = results_count(results, image, STATUS_NONE);
		size_t all = failed + skipped + results_count(results, image, STATUS_OK) +
			     results_count(results, image, STATUS_WARN);
		bool undecided = is_undecided(results, image);

		(void)fputs("  <testsuite name=\"", to);
		xml(results->verdicts[image].image, to);
		(void)fprintf(to,
			      "\" tests=\"%zu\" failures=\"%zu\" errors=\"%d\" skipped=\"%zu\">\n",
			      all + undecided, failed, undecided, skipped);
		for (size_t i = 0; i < results->count; i++) {
			if (results->results[i].image == image)
				junit_case(&results->results[i], to, call);
		}
		if (undecided) {
			(void)fprintf(to,
				      "    <testcase classname=\"noptrace-image.%s\" "
				      "name=\"verdict\"><error message=\"",
				      call);
			xml(results->verdicts[image].words, to);
			(void)fputs("\"/></testcase>\n", to);
		}
		(void)fputs("  </testsuite>\n", to);
	}
	(void)fputs("</testsuites>\n", to);
	return !ferror(to);
}

static bool wants_colours(void)
{
	const char *no_color = getenv("NO_COLOR");

	return isatty(STDOUT_FILENO) && !(no_color && no_color[0] != '\0');
}

bool results_print(const struct results *results, const char *call, const char *format, FILE *junit)
{
	bool ok = true;

	if (strcmp(format, "text") == 0)
		ok = write_text(results, stdout, wants_colours());
	else if (strcmp(format, "json") == 0)
		ok = write_json(results, stdout, call);
	else if (strcmp(format, "tap") == 0)
		ok = write_tap(results, stdout);
	if (junit && (!write_junit(results, junit, call) || fflush(junit) != 0))
		ok = false;
	return fflush(stdout) == 0 && ok && !results->failed;
}

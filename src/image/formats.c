/* SPDX-License-Identifier: MIT */
/* The formats of results.h. All text is clean already: see results_add(). */
#include <json-c/json.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "results.h"

bool results_text(const struct results *results, FILE *to, bool colours)
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

/* What follows a # would be a directive, and a backslash would escape. */
static void tap_name(const struct results *results, const struct result *result, FILE *to)
{
	for (const char *at = results->verdicts[result->image].image; *at != '\0'; at++) {
		if (*at == '#' || *at == '\\')
			(void)fputc('\\', to);
		(void)fputc(*at, to);
	}
	(void)fprintf(to, ": %s", result->point);
}

/* TAP 13: a point that does not apply is a skipped one, a warning is one that passed, with its
 * text. */
bool results_tap(const struct results *results, FILE *to)
{
	(void)fprintf(to, "TAP version 13\n1..%zu\n", results->count);
	for (size_t i = 0; i < results->count; i++) {
		const struct result *result = &results->results[i];
		(void)fprintf(to, "%sok %zu - ", result->status == STATUS_FAIL ? "not " : "",
			      i + 1);
		tap_name(results, result, to);
		if (result->status == STATUS_NONE)
			(void)fprintf(to, " # SKIP %s", result->text);
		if (result->status == STATUS_WARN)
			(void)fprintf(to, "\n# warn: %s", result->text);
		if (result->status == STATUS_FAIL)
			(void)fprintf(to, "\n# %s", result->text);
		(void)fputc('\n', to);
	}
	return !ferror(to);
}

static bool put(struct json_object *to, const char *name, struct json_object *value)
{
	return value && json_object_object_add(to, name, value) == 0;
}

static struct json_object *json_of_result(const struct result *result)
{
	struct json_object *made = json_object_new_object();

	if (made && put(made, "point", json_object_new_string(result->point)) &&
	    put(made, "status", json_object_new_string(results_status(result->status))) &&
	    put(made, "text", json_object_new_string(result->text)))
		return made;
	json_object_put(made);
	return NULL;
}

static bool json_points(const struct results *results, size_t image, struct json_object *points)
{
	for (size_t i = 0; i < results->count; i++) {
		struct json_object *point;
		if (results->results[i].image != image)
			continue;
		point = json_of_result(&results->results[i]);
		if (!point || json_object_array_add(points, point) != 0)
			return false;
	}
	return true;
}

static struct json_object *json_of_image(const struct results *results, size_t image)
{
	const struct verdict *verdict = &results->verdicts[image];
	struct json_object *made = json_object_new_object();
	struct json_object *points = json_object_new_array();

	if (made && points && put(made, "image", json_object_new_string(verdict->image)) &&
	    put(made, "verdict", json_object_new_string(verdict->words)) &&
	    put(made, "exit", json_object_new_int(verdict->code)) &&
	    json_points(results, image, points) && put(made, "points", points))
		return made;
	json_object_put(points);
	json_object_put(made);
	return NULL;
}

static bool json_images(const struct results *results, struct json_object *images)
{
	for (size_t i = 0; i < results->images; i++) {
		struct json_object *image = json_of_image(results, i);
		if (!image || json_object_array_add(images, image) != 0)
			return false;
	}
	return true;
}

bool results_json(const struct results *results, FILE *to, const char *call)
{
	struct json_object *made = json_object_new_object();
	struct json_object *images = json_object_new_array();
	bool ok = made && images && put(made, "format", json_object_new_int(1)) &&
		  put(made, "call", json_object_new_string(call)) &&
		  put(made, "exit", json_object_new_int(results_code(results))) &&
		  json_images(results, images);

	if (ok && put(made, "images", images)) {
		const char *text = json_object_to_json_string_ext(
		    made, JSON_C_TO_STRING_PRETTY | JSON_C_TO_STRING_SPACED |
			      JSON_C_TO_STRING_NOSLASHESCAPE);
		ok = text && fprintf(to, "%s\n", text) > 0;
	}
	json_object_put(made);
	return ok && !ferror(to);
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

/* A suite for each image, a case for each point. */
bool results_junit(const struct results *results, FILE *to, const char *call)
{
	(void)fputs("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
		    "<testsuites name=\"noptrace-image\">\n",
		    to);
	for (size_t image = 0; image < results->images; image++) {
		size_t failed = results_count(results, image, STATUS_FAIL);
		size_t skipped = results_count(results, image, STATUS_NONE);
		size_t all = failed + skipped + results_count(results, image, STATUS_OK) +
			     results_count(results, image, STATUS_WARN);

		(void)fputs("  <testsuite name=\"", to);
		xml(results->verdicts[image].image, to);
		(void)fprintf(to, "\" tests=\"%zu\" failures=\"%zu\" skipped=\"%zu\">\n", all,
			      failed, skipped);
		for (size_t i = 0; i < results->count; i++) {
			if (results->results[i].image == image)
				junit_case(&results->results[i], to, call);
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
		ok = results_text(results, stdout, wants_colours());
	else if (strcmp(format, "json") == 0)
		ok = results_json(results, stdout, call);
	else if (strcmp(format, "tap") == 0)
		ok = results_tap(results, stdout);
	if (junit && (!results_junit(results, junit, call) || fflush(junit) != 0))
		ok = false;
	return fflush(stdout) == 0 && ok && !results->failed;
}

/* SPDX-License-Identifier: MIT */
/*
 * Reads the kernel's command line the way the kernel reads it; cmdline.h has the rules. Pure: no
 * system call, no libc, no memory but the caller's.
 *
 * The contracts are ACSL, and proved (make prove) against the definitions of cmdline_spec.h, which
 * says what that means. Compilers read neither.
 */
#include <stdbool.h>

#include "cmdline.h"
#include "cmdline_spec.h"

/*@ ghost
  // Any line, and where its reader is: nothing is assumed of them but what contracts say.
  const unsigned char *the_line;
  size_t the_length; // the kernel's part
  size_t the_place;  // the byte to be read next
  size_t the_word;   // where the word began that is being read
  size_t the_size, the_fed; // of /proc/cmdline: the bytes that it has, and those that have been fed
*/

/*@
  predicate in_line{L} = the_place <= the_length && \valid_read(the_line + (0 .. the_length - 1));
  predicate next_is{L}(integer byte) = byte == byte_at(the_line, the_length, the_place);

  // The place stands for the bytes that have been read: of a word some, and never its end.
  predicate stands_in_word{L}(struct cmdline_place *place, integer to) =
    the_word < to && args(the_line, the_word) <= to <= the_length &&
    the_line[the_word] != 0 && !is_space(the_line[the_word]) &&
    (place->opened != 0 <==> opened(the_line, the_word) == \true) &&
    word_end(the_line, the_length, the_word) ==
      args_end(the_line, the_length, to, place->quoted != 0 ? \true : \false);
  predicate at_word_end{L}(integer is_opened) =
    args(the_line, the_word) <= the_place == word_end(the_line, the_length, the_word) &&
    (is_opened != 0 <==> opened(the_line, the_word) == \true);
  predicate stands{L}(struct cmdline_place *place, integer to) =
    place->at == CMDLINE_GAP || place->at == CMDLINE_OVER ||
    (place->at == CMDLINE_WORD && stands_in_word(place, to));
*/

/*
 * The two names, each with one byte more: the quote that the kernel drops at the end of a word that
 * a quote opened. NULs follow, which no word has.
 */
enum { KEY_LENGTH = 11, END_LENGTH = 2, MISMATCH = 13 };
static const unsigned char KEY[MISMATCH + 1] = "maintenance\"";
static const unsigned char END[MISMATCH + 1] = "--\"";

/*@
  // How far the bytes [from, to) agree with a name.
  predicate agrees_key{L}(unsigned char *line, integer from, integer to, integer matched) =
    to - from <= KEY_LENGTH + 1 && spells(line, from, to)
      ? matched == to - from : matched == MISMATCH;
  predicate agrees_end{L}(unsigned char *line, integer from, integer to, integer matched) =
    to - from <= END_LENGTH + 1 && (to > from ==> line[from] == '-') &&
    (to > from + 1 ==> line[from + 1] == '-') && (to > from + 2 ==> line[from + 2] == '"')
      ? matched == to - from : matched == MISMATCH;
*/

/*@
  requires in_line && next_is(byte) && byte != 0 && args(the_line, the_word) <= the_place;
  requires agrees_key(the_line, args(the_line, the_word), the_place, matched);
  assigns \nothing;
  ensures agrees_key(the_line, args(the_line, the_word), the_place + 1, \result);
*/
static unsigned advance_key(unsigned matched, unsigned char byte)
{
	return KEY[matched] == byte ? matched + 1 : MISMATCH;
}

/*@
  requires in_line && next_is(byte) && byte != 0 && args(the_line, the_word) <= the_place;
  requires agrees_end(the_line, args(the_line, the_word), the_place, matched);
  assigns \nothing;
  ensures agrees_end(the_line, args(the_line, the_word), the_place + 1, \result);
*/
static unsigned advance_end(unsigned matched, unsigned char byte)
{
	return END[matched] == byte ? matched + 1 : MISMATCH;
}

/*@
  requires in_line && at_word_end(opened);
  requires agrees_key(the_line, args(the_line, the_word), the_place, matched);
  assigns \nothing;
  ensures \result <==> is_maintenance(the_line, the_length, the_word);
*/
static bool has_key(unsigned matched, bool opened)
{
	return matched == KEY_LENGTH || (opened && matched == KEY_LENGTH + 1);
}

/*@
  requires in_line && at_word_end(opened);
  requires agrees_end(the_line, args(the_line, the_word), the_place, matched);
  assigns \nothing;
  ensures \result <==> is_end(the_line, the_length, the_word);
*/
static bool has_end(unsigned matched, bool opened)
{
	return matched == END_LENGTH || (opened && matched == END_LENGTH + 1);
}

/*@
  assigns \nothing;
  ensures \result <==> is_space(byte);
*/
bool cmdline_separates(unsigned char byte)
{
	return (byte >= 9 && byte <= 13) || byte == ' ' || byte == 0xA0;
}

/* What a byte is: nothing that is kept, a byte of a word, or what stands behind a word's last. */
enum role { NOTHING, INSIDE, BEHIND };

/* The one step of both readers below: words, and the quotes around them. */
/*@
  requires \valid(place) && \separated(place, the_line + (0 .. the_length - 1));
  requires in_line && next_is(byte) && stands(place, the_place);
  assigns *place, the_word;
  ensures \result == NOTHING || \result == INSIDE || \result == BEHIND;
  behavior over:
    assumes place->at == CMDLINE_OVER;
    ensures \result == NOTHING && *place == \old(*place) && the_word == \old(the_word);
  behavior gap:
    assumes place->at == CMDLINE_GAP;
    ensures the_word == (place->at == CMDLINE_WORD ? the_place : \old(the_word));
    ensures place->at == CMDLINE_OVER <==> byte == 0;
    ensures place->at == CMDLINE_GAP <==> is_space(byte);
    ensures \result == INSIDE <==>
      place->at == CMDLINE_WORD && args(the_line, the_word) == the_place;
    ensures \result != BEHIND;
    ensures the_place < the_length ==> stands(place, the_place + 1);
  behavior word:
    assumes place->at == CMDLINE_WORD;
    ensures the_word == \old(the_word) && place->opened == \old(place->opened);
    ensures \result == INSIDE <==> place->at == CMDLINE_WORD;
    ensures \result == BEHIND <==> place->at != CMDLINE_WORD;
    ensures \result == BEHIND ==> word_end(the_line, the_length, the_word) == the_place;
    ensures \result == BEHIND ==> byte == 0 || is_space(byte);
    ensures place->at == CMDLINE_OVER <==> byte == 0;
    ensures the_place < the_length ==> stands(place, the_place + 1);
*/
static enum role step(struct cmdline_place *place, unsigned char byte)
{
	bool word = place->at == CMDLINE_WORD;

	if (place->at == CMDLINE_OVER)
		return NOTHING;
	if (byte == '\0' || (cmdline_separates(byte) && !(word && place->quoted))) {
		place->at = byte == '\0' ? CMDLINE_OVER : CMDLINE_GAP;
		return word ? BEHIND : NOTHING;
	}
	if (!word) {
		//@ ghost the_word = the_place;
		place->at = CMDLINE_WORD;
		place->opened = byte == '"';
		place->quoted = place->opened;
		//@ assert args(the_line, the_word) == (byte == '"' ? the_place + 1 : the_place);
		//@ assert stands_in_word(place, the_place + 1);
		return place->opened ? NOTHING : INSIDE;
	}
	if (byte == '"')
		place->quoted = !place->quoted;
	return INSIDE;
}

/*@
  // The matcher stands for the first `to` bytes of the line: what it knows of the current word, and
  // that the line has the name if it was there, or else if it comes from the word or the gap on.
  predicate knows_word{L}(struct cmdline *reader, integer to) =
    reader->place.at == CMDLINE_WORD
      ? agrees_key(the_line, args(the_line, the_word), to, reader->key) &&
      agrees_end(the_line, args(the_line, the_word), to, reader->end)
      : reader->key == 0 && reader->end == 0;
  predicate knows_line{L}(struct cmdline *reader, integer to) =
    has_maintenance(the_line, the_length, 0) <==>
      reader->maintenance != 0 ||
      (reader->place.at == CMDLINE_GAP && has_maintenance(the_line, the_length, to)) ||
      (reader->place.at == CMDLINE_WORD && has_maintenance(the_line, the_length, the_word));
  predicate matches{L}(struct cmdline *reader, integer to) =
    stands(&reader->place, to) && knows_word(reader, to) && knows_line(reader, to);

  predicate holds{L}(struct cmdline *reader) =
    (reader->newline != 0 <==> the_fed > 0 && the_line[the_fed - 1] == '\n');
  // The same for what has been fed of /proc/cmdline, where a last newline is held back.
  predicate fed{L}(struct cmdline *reader) =
    the_fed <= the_size && \valid_read(the_line + (0 .. the_size - 1)) &&
    the_length == kernel_length(the_line, the_size) &&
    the_fed == (reader->newline != 0 ? the_place + 1 : the_place) &&
    holds(reader) && matches(reader, the_place);
*/

/*@
  requires \valid(line) && \separated(line, the_line + (0 .. the_length - 1));
  requires in_line && next_is(byte) && matches(line, the_place);
  assigns line->place, line->key, line->end, line->maintenance, line->assigned, the_place, the_word;
  behavior byte:
    assumes the_place < the_length;
    ensures the_place == \old(the_place) + 1 && matches(line, the_place);
  behavior end:
    assumes the_place == the_length;
    ensures line->maintenance != 0 <==> has_maintenance(the_line, the_length, 0);
*/
static void feed(struct cmdline *line, unsigned char byte)
{
	switch (step(&line->place, byte)) {
	case NOTHING:
		break;
	case BEHIND:
		/*@ assert has_maintenance(the_line, the_length, the_word) <==>
		      !is_end(the_line, the_length, the_word) &&
		      (is_maintenance(the_line, the_length, the_word) ||
		       has_maintenance(the_line, the_length, the_place)); */
		/*@ assert byte != 0 ==> (has_maintenance(the_line, the_length, the_place) <==>
		      has_maintenance(the_line, the_length, the_place + 1)); */
		if (has_key(line->key, line->place.opened))
			line->maintenance = true;
		if (has_end(line->end, line->place.opened))
			line->place.at = CMDLINE_OVER;
		line->key = 0;
		line->end = 0;
		break;
	case INSIDE:
		if (byte == '=' && line->key == KEY_LENGTH)
			line->assigned = true;
		line->key = advance_key(line->key, byte);
		line->end = advance_end(line->end, byte);
		//@ assert stands(&line->place, the_place + 1);
		//@ assert knows_word(line, the_place + 1);
		//@ assert knows_line(line, the_place + 1);
		break;
	}
	//@ ghost if (the_place < the_length) the_place++;
}

/*@
  requires \valid(line) && \separated(line, the_line + (0 .. the_size - 1));
  requires fed(line) && the_fed < the_size && byte == the_line[the_fed];
  assigns *line, the_fed, the_place, the_word;
  ensures the_fed == \old(the_fed) + 1;
  ensures matches(line, the_place);
  ensures holds(line);
  ensures the_fed == (line->newline != 0 ? the_place + 1 : the_place);
*/
void cmdline_feed(struct cmdline *line, unsigned char byte)
{
	if (line->newline)
		feed(line, '\n');
	//@ assert the_place == the_fed && matches(line, the_place);
	line->newline = byte == '\n';
	//@ assert matches(line, the_place);
	//@ assert byte != '\n' ==> the_place < the_length;
	if (!line->newline)
		feed(line, byte);
	//@ ghost the_fed++;
}

/*@
  requires \valid(line) && \separated(line, the_line + (0 .. the_size - 1));
  requires fed(line) && the_fed == the_size;
  assigns line->place, line->key, line->end, line->maintenance, line->assigned, the_place, the_word;
  ensures line->maintenance != 0 <==> has_maintenance(the_line, the_length, 0);
*/
void cmdline_end(struct cmdline *line)
{
	feed(line, '\0');
}

/*@
  // What find() leaves: the ends of a word, and of its name that is ended by a '='.
  predicate found{L}(unsigned char *line, integer n, struct cmdline_word *word) =
    word->name == args(line, word->start) <= word->end == word_end(line, n, word->start) <= n &&
    word->start < word->end &&
    (word->name_end == 0
      ? has_no_equals(line, word->start, word->end)
      : is_equals(line, word->start, word->end, word->name_end));
*/

/*@
  requires \valid_read(line + (0 .. length - 1)) && \valid(word);
  requires \separated(word, line + (0 .. length - 1));
  assigns word->start, word->end, word->name, word->name_end;
  assigns the_line, the_length, the_place, the_word;
  ensures the_length == length;
  ensures \result <==> byte_at(line, length, skip_spaces(line, length, i)) != 0;
  ensures \result ==> word->start == skip_spaces(line, length, i);
  ensures \result ==> found(line, length, word);
*/
static bool find(const unsigned char *line, size_t length, size_t i, struct cmdline_word *word)
{
	struct cmdline_place place = { 0 };
	size_t start = 0;
	size_t name = 0;
	size_t equals = 0;
	bool inside = false;

	//@ ghost the_line = line;
	//@ ghost the_length = length;
	/*@
	  loop invariant i <= length || i == \at(i, Pre);
	  loop invariant place.at == (inside ? CMDLINE_WORD : CMDLINE_GAP) && stands(&place, i);
	  loop invariant !inside ==>
	    equals == 0 && skip_spaces(line, length, \at(i, Pre)) == skip_spaces(line, length, i);
	  loop invariant inside ==>
	    start == the_word == skip_spaces(line, length, \at(i, Pre)) &&
	    name == args(line, start);
	  loop invariant inside ==>
	    (equals == 0 ? has_no_equals(line, start, i) : is_equals(line, start, i, equals));
	  loop assigns i, place, start, name, equals, inside, the_place, the_word;
	  loop variant length - i;
	*/
	for (; i < length; i++) {
		//@ ghost the_place = i;
		if (step(&place, line[i]) == BEHIND || place.at == CMDLINE_OVER)
			break;
		if (place.at == CMDLINE_WORD && !inside) {
			inside = true;
			start = i;
			name = i + place.opened;
		}
		if (line[i] == '=' && i > name && !equals)
			equals = i;
	}
	if (!inside)
		return false;
	//@ assert start == the_word == skip_spaces(line, length, \at(i, Pre));
	//@ assert i == word_end(line, length, the_word);
	word->start = start;
	word->end = i;
	word->name = name;
	word->name_end = equals;
	return true;
}

/*@
  requires from <= to ==> \valid_read(line + (from .. to - 1));
  assigns \nothing;
  ensures \result == (opened != 0 && to > from && line[to - 1] == '"' ? to - 1 : to);
*/
static size_t without_quote(const unsigned char *line, size_t from, size_t to, bool opened)
{
	return opened && to > from && line[to - 1] == '"' ? to - 1 : to;
}

/*@
  // What split() makes of that.
  predicate is_assigned{L}(unsigned char *line, struct cmdline_word *word) =
    \let equals = word->name_end;
    is_equals(line, word->start, word->end, equals) &&
    word->value == value(line, word->end, equals) &&
    word->value_end == value_end(line, word->start, word->end, equals);
  predicate is_bare{L}(unsigned char *line, integer n, struct cmdline_word *word) =
    has_no_equals(line, word->start, word->end) &&
    word->name_end == bare_end(line, n, word->start) && word->value == 0 && word->value_end == 0;

  // What cmdline_next() gives of the word that begins at `start`.
  predicate is_word{L}(unsigned char *line, integer n, integer start, struct cmdline_word *word) =
    word->start == start && word->end == word_end(line, n, start) &&
    word->name == args(line, start) &&
    (word->value != 0 ? is_assigned(line, word) : is_bare(line, n, word));
*/

/*@
  requires \valid_read(line + (0 .. the_length - 1)) && \valid(word);
  requires \separated(word, line + (0 .. the_length - 1)) && found(line, the_length, word);
  assigns word->name_end, word->value, word->value_end;
  behavior bare:
    assumes word->name_end == 0;
    ensures is_bare(line, the_length, word);
  behavior assigned:
    assumes word->name_end != 0;
    ensures is_assigned(line, word) && word->value != 0;
*/
static void split(const unsigned char *line, struct cmdline_word *word)
{
	size_t equals = word->name_end;
	bool opened = word->name > word->start;

	word->value = 0;
	word->value_end = 0;
	if (!equals) {
		//@ assert word->end == word_end(line, the_length, word->start);
		//@ assert opened != 0 <==> opened(line, word->start) == \true;
		word->name_end = without_quote(line, word->name, word->end, opened);
		//@ assert word->name_end == bare_end(line, the_length, word->start);
		return;
	}
	word->value = equals + 1;
	if (equals + 1 < word->end && line[equals + 1] == '"') {
		opened = true;
		word->value++;
	}
	word->value_end = without_quote(line, word->value, word->end, opened);
}

/*@
  requires \valid_read(line + (0 .. the_length - 1)) && \valid_read(word);
  requires word->name <= word->end <= the_length;
  requires is_word(line, the_length, word->start, word);
  assigns \nothing;
  ensures \result <==> is_end(line, the_length, word->start);
*/
static bool is_dashes(const unsigned char *line, const struct cmdline_word *word)
{
	/*@ assert is_end(line, the_length, word->start) ==> line[word->name + 1] == '-' &&
	      (word->end == word->name + 2 ||
	       (word->end == word->name + 3 && line[word->name + 2] == '"')); */
	//@ assert word->value != 0 ==> line[word->name_end] == '=';
	//@ assert word->value != 0 ==> word->name < word->name_end < word->end;
	//@ assert word->value != 0 ==> !is_end(line, the_length, word->start);
	return !word->value && word->name_end - word->name == END_LENGTH &&
	       line[word->name] == '-' && line[word->name + 1] == '-';
}

/*@
  requires \valid_read(line + (0 .. length - 1)) && \valid(at) && \valid(word);
  requires \separated(at, word, line + (0 .. length - 1));
  assigns *at, *word, the_line, the_length, the_place, the_word;
  behavior end:
    assumes byte_at(line, length, skip_spaces(line, length, *at)) == 0;
    ensures !\result && *at == \old(*at) && *word == \old(*word);
  behavior dashes:
    assumes byte_at(line, length, skip_spaces(line, length, *at)) != 0;
    assumes is_end(line, length, skip_spaces(line, length, *at));
    ensures !\result && *at == skip_spaces(line, length, \old(*at)) && *word == \old(*word);
  behavior word:
    assumes byte_at(line, length, skip_spaces(line, length, *at)) != 0;
    assumes !is_end(line, length, skip_spaces(line, length, *at));
    ensures \result;
    ensures *at == word_end(line, length, skip_spaces(line, length, \old(*at)));
    ensures is_word(line, length, skip_spaces(line, length, \old(*at)), word);
*/
bool cmdline_next(const unsigned char *line, size_t length, size_t *at, struct cmdline_word *word)
{
	struct cmdline_word next = { 0 };

	if (!find(line, length, *at, &next))
		return false;
	split(line, &next);
	if (is_dashes(line, &next)) {
		*at = next.start;
		return false;
	}
	*word = next;
	*at = next.end;
	return true;
}

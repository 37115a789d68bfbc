/* SPDX-License-Identifier: MIT */
/*
 * What the kernel makes of its command line, as definitions in ACSL: the specification that
 * cmdline.c is proved against (make prove). It is to be read beside next_arg() of the kernel's
 * lib/cmdline.c, parse_args() of its kernel/params.c, and noptrace(8), THE KERNEL COMMAND LINE.
 *
 * A line is an array of n bytes. What is recursive asks about a later byte, and ends at n.
 *
 * Proved is, for every line of every length: the matcher, fed with it, answers "maintenance" if and
 * only if has_maintenance() (tests/proof/maintenance.c); cmdline_next() gives the words as they are
 * defined here; and neither reads or writes outside of what its caller gave it, overflows, or goes
 * on for ever. Not proved: the field "assigned", which words a log line only, and is compared with
 * another reader by a fuzzer (make fuzz); what callers pass, which is to be as the contracts
 * require it; compilers, and the provers themselves. That these definitions are the kernel's is
 * shown by boots (tests/kernel.bats), and by reading.
 */
#ifndef CMDLINE_SPEC_H
#define CMDLINE_SPEC_H

/*@
  // The kernel's part of what procfs gives: without one newline at the end.
  logic integer kernel_length{L}(unsigned char *line, integer size) =
    size > 0 && line[size - 1] == '\n' ? size - 1 : size;

  // For the kernel a line is a string: behind its last byte there is a NUL.
  logic integer byte_at{L}(unsigned char *line, integer n, integer i) = i < n ? line[i] : 0;

  // isspace()
  logic boolean is_space(integer byte) = 9 <= byte <= 13 || byte == 32 || byte == 0xA0;

  // skip_spaces(): where the first word at or behind i begins.
  logic integer skip_spaces{L}(unsigned char *line, integer n, integer i) =
    is_space(byte_at(line, n, i)) ? skip_spaces(line, n, i + 1) : i;

  // next_arg(): a quote that opens the word is dropped, and the word's arguments begin behind it;
  logic boolean opened{L}(unsigned char *line, integer word) = line[word] == '"';
  logic integer args{L}(unsigned char *line, integer word) = opened(line, word) ? word + 1 : word;

  // they go on to a separator that is not quoted, each quote on the way switching that, or to a
  // NUL.
  logic integer args_end{L}(unsigned char *line, integer n, integer i, boolean in_quote) =
    byte_at(line, n, i) == 0 || (is_space(line[i]) && !in_quote)
      ? i
      : args_end(line, n, i + 1, line[i] == '"' ? !in_quote : in_quote);
  logic integer word_end{L}(unsigned char *line, integer n, integer word) =
    args_end(line, n, args(line, word), opened(line, word));

  // A bare parameter: the word's arguments, without a quote at the end if one opened the word.
  logic integer bare_end{L}(unsigned char *line, integer n, integer word) =
    \let end = word_end(line, n, word);
    opened(line, word) && end > args(line, word) && line[end - 1] == '"' ? end - 1 : end;

  // "--"
  predicate is_end{L}(unsigned char *line, integer n, integer word) =
    \let from = args(line, word);
    bare_end(line, n, word) == from + 2 && line[from] == '-' && line[from + 1] == '-';

  // "maintenance"; its twelfth letter is a quote, which only the proof asks for.
  logic integer letter(integer k) =
    k == 0 ? 'm' : k == 1 ? 'a' : k == 2 ? 'i' : k == 3 ? 'n' : k == 4 ? 't' : k == 5 ? 'e' :
    k == 6 ? 'n' : k == 7 ? 'a' : k == 8 ? 'n' : k == 9 ? 'c' : k == 10 ? 'e' : '"';
  predicate spells{L}(unsigned char *line, integer from, integer to) =
    \forall integer i; from <= i < to ==> line[i] == letter(i - from);
  predicate is_maintenance{L}(unsigned char *line, integer n, integer word) =
    \let from = args(line, word);
    bare_end(line, n, word) == from + 11 && spells(line, from, from + 11);

  // parse_args(): the words at and behind i, up to "--", among which there is "maintenance".
  predicate has_maintenance{L}(unsigned char *line, integer n, integer i) =
    byte_at(line, n, i) != 0 &&
    (is_space(line[i]) ? has_maintenance(line, n, i + 1)
     : !is_end(line, n, i) &&
       (is_maintenance(line, n, i) || has_maintenance(line, n, word_end(line, n, i))));

  // next_arg(): the first '=' behind the first of the word's arguments ends the name, where one is;
  predicate has_no_equals{L}(unsigned char *line, integer word, integer to) =
    \forall integer i; args(line, word) < i < to ==> line[i] != '=';
  predicate is_equals{L}(unsigned char *line, integer word, integer end, integer equals) =
    args(line, word) < equals < end && line[equals] == '=' && has_no_equals(line, word, equals);

  // the value follows, without a quote that opens it, and without one at the end if one opened it
  // or the word.
  logic boolean value_opened{L}(unsigned char *line, integer end, integer equals) =
    equals + 1 < end && line[equals + 1] == '"';
  logic integer value{L}(unsigned char *line, integer end, integer equals) =
    value_opened(line, end, equals) ? equals + 2 : equals + 1;
  logic integer value_end{L}(unsigned char *line, integer word, integer end, integer equals) =
    (opened(line, word) || value_opened(line, end, equals)) && end > value(line, end, equals) &&
    line[end - 1] == '"' ? end - 1 : end;
*/

#endif

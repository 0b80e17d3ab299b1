/* error.h: the status that every system call returns in RAX. */
/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef QUIRE_ABI_ERROR_H
#define QUIRE_ABI_ERROR_H

/* One line per status: name, words for a person. Numbers are the order of the lines. */
#define QUIRE_STATUS_LIST(S) \
    S(OK,              "done") \
    S(E_CALL,          "no such system call") \
    S(E_CAP,           "no capability at that address") \
    S(E_TYPE,          "the capability is of another type") \
    S(E_RIGHT,         "the capability lacks the right for this") \
    S(E_ARGUMENT,      "an argument is out of its range") \
    S(E_ALIGN,         "an address or size is not aligned as it must be") \
    S(E_SLOT,          "the destination slot is in use or does not exist") \
    S(E_MEMORY,        "the untyped memory is too small or used up") \
    S(E_RESERVE,       "the space's reserve is too small; RSI says how many pages it lacks") \
    S(E_MAPPED,        "something is mapped there already") \
    S(E_UNMAPPED,      "nothing is mapped there") \
    S(E_BUSY,          "the object is in use in a way that forbids this") \
    S(E_STATE,         "the object is not in a state that allows this") \
    S(E_GONE,          "the object waited for was destroyed, or the wait was ended") \
    S(E_EMPTY,         "nothing is pending") \
    S(E_UNSUPPORTED,   "this CPU lacks what the request needs") \
    S(E_LIMIT,         "a fixed limit of the kernel is reached")

#define QUIRE_STATUS_ENUM(name, words) name,
enum status { QUIRE_STATUS_LIST(QUIRE_STATUS_ENUM) STATUS_COUNT };
#undef QUIRE_STATUS_ENUM

#endif

/* model_state.h: what the parts of the kernel's model share. */
/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef SERVERS_VMSPACE_TEST_MODEL_STATE_H
#define SERVERS_VMSPACE_TEST_MODEL_STATE_H

#include <pthread.h>

#include "servers/vmspace/test/model.h"

#define MODEL_OBJECTS (1u << 14)
#define MODEL_CAPS    (1u << 14)
#define MODEL_FUNDS   32u /* times a Space can be funded */
#define MODEL_QUEUE   64u
#define RESERVE_MAPS  8u /* maps that one page of a Space's reserve pays for */

struct model_object {
    enum object_type type;
    bool alive;
    unsigned bits;
    int origin; /* Untyped it was made of; -1 */
    /* Untyped, Frame */
    uint64_t base;     /* first physical page */
    uint64_t used;     /* Untyped: bytes */
    unsigned children; /* Untyped: what lives in it, a Space that it funds included */
    /* Space */
    uint64_t pages, reserve; /* mapped; pages funded */
    int funds[MODEL_FUNDS];
    unsigned fund_count;
    bool own; /* vmspace's */
    /* Endpoint */
    struct model_caller *queue[MODEL_QUEUE];
    unsigned queued;
    unsigned receivers; /* threads that wait in it now */
    /* Reply */
    struct model_caller *held;
};

struct model_cap {
    bool used;
    uint32_t slot; /* in vmspace's CSpace; 0: somebody else's */
    int object, parent;
    unsigned rights;
    uint32_t badge;
};

/* Somebody who calls. */
struct model_caller {
    struct message m;
    bool answered, notification;
    int give;              /* capability to pass; -1: none */
    int got[MESSAGE_CAPS]; /* capabilities received; -1: none */
};

extern pthread_mutex_t model_lock;
extern pthread_cond_t model_change;
extern struct model_object *model_objects;
extern struct model_cap *model_caps;
extern struct model_figures model_numbers;
extern unsigned char *model_ram; /* all physical memory */
extern int model_ram_file;
extern bool model_ending;
extern struct ipc_buffer model_buffer;

/* model.c */
extern int model_service;                       /* object of the service's endpoint */
extern int model_own_space[MODEL_CHILDREN + 1]; /* capability of each child to its Space; -1 */
struct model_caller model_new_caller(uint32_t badge, uint64_t tag, uint64_t a, uint64_t b,
                                     uint64_t c);
void model_call_at(int endpoint, struct model_caller *caller);

/* model_cap.c */
int model_new_object(enum object_type type, unsigned bits, int origin);
int model_new_cap(uint32_t slot, int object, int parent, unsigned rights, uint32_t badge);
int model_cap_at(uint32_t slot); /* -1: none */
void model_drop_cap(int cap);
void model_drop_children(int cap);
void model_cap_reset(void);

/* model_map.c */
void model_map_reset(void);
enum status model_map_page(int space, uint64_t page, uint64_t physical, uint64_t flags,
                           uint64_t *lacking);
uint64_t model_lookup(int space, uint64_t address, unsigned *rights); /* physical page; 0: none */
void model_kill_space(int space);

/* model_message.c; the lock is held */
void model_enqueue(int endpoint, struct model_caller *caller);
bool model_rests(void);

#endif

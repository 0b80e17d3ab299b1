/* model.h: what mapping, unmapping and revoking should do, on flat arrays instead of tables. */
/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef KERNEL_MEM_TEST_MODEL_H
#define KERNEL_MEM_TEST_MODEL_H

#include "kernel/abi/error.h"
#include "kernel/mem/test/machine.h"

#define MODEL_SPACES 3

/* Ranges of addresses that the random operations use; everything else stays unmapped. */
#define MODEL_WINDOWS 4
struct model_window {
    uint64_t base;
    uint64_t pages;
};

/* What one page of a window is. */
struct model_page {
    uint64_t physical;
    uint8_t level;
    uint8_t flags;       /* MAP_ rights and MAP_UNCACHED */
    uint8_t mapped;
};

/* A table that must exist, as the addresses that it covers. */
struct model_table {
    uint64_t base;
    unsigned level;      /* of its entries */
    uint64_t leaves;     /* in it and below it */
    bool half[2];        /* mapping entries for its lower, upper 256 entries were made */
};

#define MODEL_TABLES 128
struct model_space {
    struct model_page *window[MODEL_WINDOWS];
    struct model_table table[MODEL_TABLES];
    unsigned tables;
    uint64_t funded;     /* pages ever given */
    uint64_t retired;    /* tables that wait for a shootdown */
    uint64_t mapped[PAGE_LEVELS];
};

/* The rules of one format, as the interface promises them. */
struct model_rules {
    uint64_t limit;
    bool exec_only;
    bool level[PAGE_LEVELS];
};

struct model {
    struct model_rules rules;
    struct model_window window[MODEL_WINDOWS];
    struct model_space space[MODEL_SPACES];
    uint32_t *uses;      /* by physical page: leaves of any Space that contain it */
};

/* Starts with nothing mapped. */
void model_reset(struct model *model, const struct model_rules *rules);

/* The page for an address, or NULL outside of the windows. */
struct model_page *model_page(const struct model *model, unsigned space, uint64_t address);

/* Pages of the reserve that are not in use. */
uint64_t model_free(const struct model_space *space);

/* Each predicts the status and does the operation. */
enum status model_map(struct model *model, unsigned space, uint64_t address, uint64_t physical,
                      unsigned flags, uint64_t count, uint64_t *lacking);
enum status model_unmap(struct model *model, unsigned space, uint64_t address, uint64_t pages,
                        uint64_t *changed);
enum status model_protect(struct model *model, unsigned space, uint64_t address, uint64_t pages,
                          unsigned rights, uint64_t *changed);

/* Removes all mappings that overlap the memory; returns how many leaves that were in the Space. */
uint64_t model_revoke(struct model *model, unsigned space, uint64_t physical, uint64_t size);

#endif

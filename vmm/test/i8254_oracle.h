/* i8254_oracle.h: an 8254 counter by the data sheet's mode definitions, one CLK pulse at a time. */
/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef VMM_TEST_I8254_ORACLE_H
#define VMM_TEST_I8254_ORACLE_H

#include <stdbool.h>
#include <stdint.h>

struct oracle {
    unsigned mode;
    bool gate, out, load, known, fired, trigger, written;
    uint32_t cr, ce, odd;
};

static inline void oracle_control(struct oracle *o, unsigned mode)
{
    *o = (struct oracle){.mode = mode, .gate = o->gate, .out = mode != 0};
}

static inline void oracle_write(struct oracle *o, uint32_t count)
{
    o->cr = count;
    o->written = true;
    if (o->mode == 0) {
        o->out = false;
    }
    if (o->mode == 0 || o->mode == 4 || ((o->mode == 2 || o->mode == 3) && !o->known)) {
        o->load = true;
    }
}

static inline void oracle_gate(struct oracle *o, bool gate)
{
    bool rises = gate && !o->gate;

    o->gate = gate;
    if (o->mode == 2 || o->mode == 3) {
        o->out = gate ? o->out : true;
        o->load = o->load || (rises && o->written);
    }
    if ((o->mode == 1 || o->mode == 5) && rises && o->written) {
        o->load = true;
    }
}

static inline void oracle_load(struct oracle *o)
{
    o->load = false;
    o->known = true;
    o->fired = false;
    o->odd = o->mode == 3 ? o->cr % 2 : 0;
    o->ce = o->cr - o->odd;
    if (o->mode == 1) {
        o->out = false;
    } else if (o->mode != 0) {
        o->out = true;
    }
}

static inline void oracle_square(struct oracle *o)
{
    bool ends = o->out && o->odd ? o->ce == 0 : o->ce == 2;

    if (ends) {
        o->out = !o->out;
        o->odd = o->cr % 2;
        o->ce = o->cr - o->odd;
    } else {
        o->ce -= 2;
    }
}

static inline void oracle_clk(struct oracle *o)
{
    bool stops = o->mode != 1 && o->mode != 5 && !o->gate;

    if (o->load) {
        oracle_load(o);
        return;
    }
    if (!o->known || stops) {
        return;
    }
    if (o->mode == 3) {
        oracle_square(o);
        return;
    }
    if (o->mode == 2) {
        o->ce = o->ce == 1 ? o->cr : o->ce - 1;
        o->out = o->ce != 1;
        return;
    }
    o->ce = (o->ce + 65535) % 65536;
    if (o->mode >= 4) {
        o->out = o->fired || o->ce != 0;
    } else if (o->ce == 0) {
        o->out = true;
    }
    o->fired = o->fired || o->ce == 0;
}

#endif

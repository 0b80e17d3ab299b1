/* stubs */
#include "run/programs/ktest/rig.h"
void test_sched(void){} void test_random(void){} void test_fpu(void){}

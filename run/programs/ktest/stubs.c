/* stubs */
#include "run/programs/ktest/rig.h"
void test_random(void){} void test_fpu(void){}

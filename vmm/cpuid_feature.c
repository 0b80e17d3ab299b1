/* cpuid_feature.c: which of the host's CPU features a guest may see. */
/* SPDX-License-Identifier: BSD-2-Clause */
#include "vmm/cpuid_feature.h"

#include <stddef.h>

enum reg { EAX, EBX, ECX, EDX };

/* What must be so for a feature to be shown. */
enum need {
    ALWAYS,
    XSAVE,   /* any extended state is allowed */
    AVX,     /* AVX state is allowed */
    AVX512,  /* AVX-512 state is allowed */
    PKRU,    /* protection-key state is allowed */
    RDRAND,
    RDTSCP,
    INVPCID,
    SPEC_CTRL,
    ARCH_CAPS,
    NEED_COUNT
};

struct feature {
    uint8_t leaf; /* enum cpuid_feature_leaf */
    uint8_t reg;
    uint8_t bit;
    uint8_t need;
};

#define L1 CPUID_FEATURES_1
#define L7 CPUID_FEATURES_7
#define E1 CPUID_FEATURES_80000001
#define E8 CPUID_FEATURES_80000008

/*
 * SDM vol. 2, CPUID; APM vol. 3, appendix E. Not here, so hidden: VMX and SVM, MONITOR and MWAIT,
 * performance monitoring (PDCM, DS, PERFCTR, IBS, LWP), thermal and power (ACPI, TM, EIST), SGX,
 * SMX, MPX, HLE and RTM, PT, RDT, LA57, WAITPKG, CET, AMX, key locker, the direct and
 * 64-byte stores (MOVDIRI, MOVDIR64B, ENQCMD), TOPOEXT, OSVW. cpuid.c hides XSAVES and XFD.
 */
static const struct feature features[] = {
    { L1, ECX, 0, ALWAYS },  /* SSE3 */
    { L1, ECX, 1, ALWAYS },  /* PCLMULQDQ */
    { L1, ECX, 9, ALWAYS },  /* SSSE3 */
    { L1, ECX, 12, AVX },    /* FMA */
    { L1, ECX, 13, ALWAYS }, /* CMPXCHG16B */
    { L1, ECX, 17, ALWAYS }, /* PCID */
    { L1, ECX, 19, ALWAYS }, /* SSE4.1 */
    { L1, ECX, 20, ALWAYS }, /* SSE4.2 */
    { L1, ECX, 22, ALWAYS }, /* MOVBE */
    { L1, ECX, 23, ALWAYS }, /* POPCNT */
    { L1, ECX, 25, ALWAYS }, /* AESNI */
    { L1, ECX, 26, XSAVE },  /* XSAVE */
    { L1, ECX, 28, AVX },    /* AVX */
    { L1, ECX, 29, AVX },    /* F16C */
    { L1, ECX, 30, RDRAND }, /* RDRAND */
    { L1, EDX, 0, ALWAYS },  /* FPU */
    { L1, EDX, 1, ALWAYS },  /* VME */
    { L1, EDX, 2, ALWAYS },  /* DE */
    { L1, EDX, 3, ALWAYS },  /* PSE */
    { L1, EDX, 4, ALWAYS },  /* TSC */
    { L1, EDX, 5, ALWAYS },  /* MSR */
    { L1, EDX, 6, ALWAYS },  /* PAE */
    { L1, EDX, 7, ALWAYS },  /* MCE */
    { L1, EDX, 8, ALWAYS },  /* CMPXCHG8B */
    { L1, EDX, 11, ALWAYS }, /* SEP */
    { L1, EDX, 12, ALWAYS }, /* MTRR */
    { L1, EDX, 13, ALWAYS }, /* PGE */
    { L1, EDX, 14, ALWAYS }, /* MCA */
    { L1, EDX, 15, ALWAYS }, /* CMOV */
    { L1, EDX, 16, ALWAYS }, /* PAT */
    { L1, EDX, 17, ALWAYS }, /* PSE-36 */
    { L1, EDX, 19, ALWAYS }, /* CLFSH */
    { L1, EDX, 23, ALWAYS }, /* MMX */
    { L1, EDX, 24, ALWAYS }, /* FXSR */
    { L1, EDX, 25, ALWAYS }, /* SSE */
    { L1, EDX, 26, ALWAYS }, /* SSE2 */
    { L1, EDX, 27, ALWAYS }, /* SS */

    { L7, EBX, 0, ALWAYS },   /* FSGSBASE */
    { L7, EBX, 1, ALWAYS },   /* TSC_ADJUST */
    { L7, EBX, 3, ALWAYS },   /* BMI1 */
    { L7, EBX, 5, AVX },      /* AVX2 */
    { L7, EBX, 6, ALWAYS },   /* FDP_EXCPTN_ONLY */
    { L7, EBX, 7, ALWAYS },   /* SMEP */
    { L7, EBX, 8, ALWAYS },   /* BMI2 */
    { L7, EBX, 9, ALWAYS },   /* ERMS */
    { L7, EBX, 10, INVPCID }, /* INVPCID */
    { L7, EBX, 13, ALWAYS },  /* no FPU CS and DS */
    { L7, EBX, 16, AVX512 },  /* AVX512F */
    { L7, EBX, 17, AVX512 },  /* AVX512DQ */
    { L7, EBX, 18, RDRAND },  /* RDSEED */
    { L7, EBX, 19, ALWAYS },  /* ADX */
    { L7, EBX, 20, ALWAYS },  /* SMAP */
    { L7, EBX, 21, AVX512 },  /* AVX512_IFMA */
    { L7, EBX, 23, ALWAYS },  /* CLFLUSHOPT */
    { L7, EBX, 24, ALWAYS },  /* CLWB */
    { L7, EBX, 28, AVX512 },  /* AVX512CD */
    { L7, EBX, 29, ALWAYS },  /* SHA */
    { L7, EBX, 30, AVX512 },  /* AVX512BW */
    { L7, EBX, 31, AVX512 },  /* AVX512VL */
    { L7, ECX, 1, AVX512 },   /* AVX512_VBMI */
    { L7, ECX, 2, ALWAYS },   /* UMIP */
    { L7, ECX, 3, PKRU },     /* PKU */
    { L7, ECX, 6, AVX512 },   /* AVX512_VBMI2 */
    { L7, ECX, 8, ALWAYS },   /* GFNI */
    { L7, ECX, 9, AVX },      /* VAES */
    { L7, ECX, 10, AVX },     /* VPCLMULQDQ */
    { L7, ECX, 11, AVX512 },  /* AVX512_VNNI */
    { L7, ECX, 12, AVX512 },  /* AVX512_BITALG */
    { L7, ECX, 14, AVX512 },  /* AVX512_VPOPCNTDQ */
    { L7, ECX, 22, RDTSCP },  /* RDPID */
    { L7, EDX, 2, AVX512 },   /* AVX512_4VNNIW */
    { L7, EDX, 3, AVX512 },   /* AVX512_4FMAPS */
    { L7, EDX, 4, ALWAYS },   /* FSRM */
    { L7, EDX, 8, AVX512 },   /* AVX512_VP2INTERSECT */
    { L7, EDX, 10, ALWAYS },  /* MD_CLEAR */
    { L7, EDX, 26, SPEC_CTRL }, /* IBRS and IBPB */
    { L7, EDX, 27, SPEC_CTRL }, /* STIBP */
    { L7, EDX, 28, SPEC_CTRL }, /* L1D_FLUSH */
    { L7, EDX, 29, ARCH_CAPS }, /* IA32_ARCH_CAPABILITIES */
    { L7, EDX, 31, SPEC_CTRL }, /* SSBD */

    { E1, ECX, 0, ALWAYS },  /* LAHF */
    { E1, ECX, 4, ALWAYS },  /* CR8 by LOCK MOV CR0 */
    { E1, ECX, 5, ALWAYS },  /* LZCNT */
    { E1, ECX, 6, ALWAYS },  /* SSE4A */
    { E1, ECX, 7, ALWAYS },  /* misaligned SSE */
    { E1, ECX, 8, ALWAYS },  /* PREFETCHW */
    { E1, ECX, 11, AVX },    /* XOP */
    { E1, ECX, 16, AVX },    /* FMA4 */
    { E1, ECX, 21, ALWAYS }, /* TBM */
    { E1, EDX, 11, ALWAYS }, /* SYSCALL */
    { E1, EDX, 20, ALWAYS }, /* NX */
    { E1, EDX, 22, ALWAYS }, /* MMX extensions */
    { E1, EDX, 25, ALWAYS }, /* fast FXSAVE */
    { E1, EDX, 26, ALWAYS }, /* 1 GiB pages */
    { E1, EDX, 27, RDTSCP }, /* RDTSCP */
    { E1, EDX, 29, ALWAYS }, /* long mode */
    { E1, EDX, 30, ALWAYS }, /* 3DNow! extensions */
    { E1, EDX, 31, ALWAYS }, /* 3DNow! */

    { E8, EBX, 0, ALWAYS },     /* CLZERO */
    { E8, EBX, 2, ALWAYS },     /* XSAVE always stores the error pointers */
    { E8, EBX, 12, SPEC_CTRL }, /* IBPB */
    { E8, EBX, 14, SPEC_CTRL }, /* IBRS */
    { E8, EBX, 15, SPEC_CTRL }, /* STIBP */
    { E8, EBX, 24, SPEC_CTRL }, /* SSBD */
};

/* AMD repeats these bits of leaf 1 EDX in leaf 0x80000001 (APM vol. 3, E.4.2). */
#define AMD_REPEATED 0x0183f3ffu

/* The answers to enum need. */
static void find_needs(const struct cpuid_choice *choice, bool met[NEED_COUNT])
{
    uint32_t allow = choice->allow;
    uint64_t xcr0 = choice->xcr0_allowed;
    met[ALWAYS] = true;
    met[XSAVE] = xcr0 != 0;
    met[AVX] = xcr0 & XCR0_AVX;
    met[AVX512] = xcr0 & XCR0_AVX512;
    met[PKRU] = xcr0 & XCR0_PKRU;
    met[RDRAND] = allow & CPUID_ALLOW_RDRAND;
    met[RDTSCP] = allow & CPUID_ALLOW_RDTSCP;
    met[INVPCID] = allow & CPUID_ALLOW_INVPCID;
    met[SPEC_CTRL] = allow & CPUID_ALLOW_SPEC_CTRL;
    met[ARCH_CAPS] = allow & CPUID_ALLOW_ARCH_CAPS;
}

void cpuid_feature_masks(struct cpuid_policy *policy)
{
    uint32_t keep[CPUID_FEATURE_LEAVES][4] = { { 0 } };
    bool met[NEED_COUNT];
    find_needs(&policy->choice, met);
    for (size_t i = 0; i < sizeof features / sizeof features[0]; i++) {
        const struct feature *feature = &features[i];
        if (met[feature->need]) {
            keep[feature->leaf][feature->reg] |= UINT32_C(1) << feature->bit;
        }
    }
    if (policy->vendor == CPUID_VENDOR_AMD) {
        keep[E1][EDX] |= keep[L1][EDX] & AMD_REPEATED;
    }
    for (unsigned leaf = 0; leaf < CPUID_FEATURE_LEAVES; leaf++) {
        policy->keep[leaf] = (struct cpuid_regs){ keep[leaf][EAX], keep[leaf][EBX],
                                                  keep[leaf][ECX], keep[leaf][EDX] };
    }
}

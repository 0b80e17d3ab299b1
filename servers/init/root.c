/* root.c: finds services and children in what the root task knows. */
/* SPDX-License-Identifier: BSD-2-Clause */
#include "servers/init/root.h"

#include <string.h>

const struct service *root_service(const struct root *root, const char *name)
{
    for (uint32_t i = 0; i < root->service_count; i++) {
        if (strcmp(root->service[i].name, name) == 0) {
            return &root->service[i];
        }
    }
    return NULL;
}

bool root_uses(const struct root *root, const struct child *child, uint32_t provider)
{
    for (uint32_t i = 0; i < child->wish->uses.count; i++) {
        const struct service *service = root_service(root, child->wish->uses.item[i]);
        if (service != NULL && service->provider == provider) {
            return true;
        }
    }
    return false;
}

struct child *root_child(struct root *root, uint64_t number)
{
    return number >= 1 && number <= root->manifest.count ? &root->child[number - 1] : NULL;
}

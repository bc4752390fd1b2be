/* cacherec_priv.h - the writers of single items; see cacherec.h. */
#ifndef CAMB_CACHEREC_PRIV_H
#define CAMB_CACHEREC_PRIV_H
#include "store/cacherec.h"

void cache_put_nstring(struct buf *out, struct text t);
void cache_put_envelope(struct buf *out, const struct mime_envelope *e);
void cache_put_body(struct buf *out, struct mime_part *top, bool extended);
void cache_put_section(struct buf *out, struct mime_part *top, enum dialect d);
void cache_put_headers(struct buf *out, const char *hdr, size_t len, const struct mime_options *o);
void cache_put_addresses(struct buf *out, const struct cacherec_options *o, const struct addresslist *l);
#endif

#include "http/tls_impl.h"

#include <gnutls/abstract.h>
#include <gnutls/gnutls.h>

#include "base/file_stamp.h"
#include "base/mem.h"
#include "base/thread.h"
#include "http/peers.h"

/* A chain has three or four. */
enum { CHAIN_MAX = 16 };

/* PEM text as GnuTLS reads it from a file: `data` is NUL-terminated. */
struct pair {
    gnutls_datum_t certificate;
    gnutls_datum_t key;
};

struct tls {
    struct mutex lock;
    struct pair pair; /* guarded by lock */
    gnutls_datum_t client_roots;
};

static void datum_free(gnutls_datum_t *datum)
{
    if (datum->data != NULL)
        gnutls_memset(datum->data, 0, datum->size);
    gnutls_free(datum->data);
    *datum = (gnutls_datum_t){0};
}

static void pair_free(struct pair *pair)
{
    datum_free(&pair->certificate);
    datum_free(&pair->key);
}

static enum status read_file(const char *what, const char *path, gnutls_datum_t *out,
                             struct error *err)
{
    if (gnutls_load_file(path, out) == 0)
        return STATUS_OK;
    *out = (gnutls_datum_t){0};
    return error_set(err, STATUS_INVALID, "tls: %s %s: cannot be read", what, path);
}

/* GnuTLS itself compares the key with the certificate. */
static enum status check_pair(const struct pair *pair, const struct tls_files *files,
                              struct error *err)
{
    gnutls_certificate_credentials_t trial;
    int result = gnutls_certificate_allocate_credentials(&trial);
    if (result < 0)
        return error_set(err, STATUS_IO, "tls: %s", gnutls_strerror(result));
    result = gnutls_certificate_set_x509_key_mem(trial, &pair->certificate, &pair->key,
                                                 GNUTLS_X509_FMT_PEM);
    gnutls_certificate_free_credentials(trial);
    if (result < 0)
        return error_set(err, STATUS_INVALID, "tls: certificate %s with key %s: %s",
                         files->certificate, files->key, gnutls_strerror(result));
    return STATUS_OK;
}

static enum status do_read_pair(const struct tls_files *files, struct pair *out, struct error *err)
{
    TRY(read_file("certificate", files->certificate, &out->certificate, err));
    TRY(read_file("key", files->key, &out->key, err));
    return check_pair(out, files, err);
}

static enum status read_pair(const struct tls_files *files, struct pair *out, struct error *err)
{
    *out = (struct pair){0};
    enum status status = do_read_pair(files, out, err);
    if (status != STATUS_OK)
        pair_free(out);
    return status;
}

static enum status check_roots(const gnutls_datum_t *roots, const char *path, struct error *err)
{
    gnutls_x509_trust_list_t trial;
    int count = gnutls_x509_trust_list_init(&trial, 0);
    if (count == 0)
        count = gnutls_x509_trust_list_add_trust_mem(trial, roots, NULL, GNUTLS_X509_FMT_PEM, 0, 0);
    gnutls_x509_trust_list_deinit(trial, 1);
    if (count <= 0)
        return error_set(err, STATUS_INVALID, "tls: client CA %s: holds no certificate", path);
    return STATUS_OK;
}

static enum status read_all(struct tls *tls, const struct tls_files *files, struct error *err)
{
    TRY(read_pair(files, &tls->pair, err));
    if (files->client_ca == NULL)
        return STATUS_OK;
    TRY(read_file("client CA", files->client_ca, &tls->client_roots, err));
    return check_roots(&tls->client_roots, files->client_ca, err);
}

enum status tls_open(const struct tls_files *files, struct tls **out, struct error *err)
{
    struct tls *tls = mem_alloc_zeroed(1, sizeof *tls);
    mutex_init(&tls->lock);
    enum status status = read_all(tls, files, err);
    if (status == STATUS_OK)
        *out = tls;
    else
        tls_close(tls);
    return status;
}

void tls_close(struct tls *tls)
{
    if (tls == NULL)
        return;
    pair_free(&tls->pair);
    datum_free(&tls->client_roots);
    mutex_deinit(&tls->lock);
    mem_free(tls);
}

static enum status check_regular(const char *what, const char *path, struct error *err)
{
    if (!file_is_special(path))
        return STATUS_OK;
    return error_set(err, STATUS_INVALID, "tls: %s %s: not a regular file", what, path);
}

enum status tls_reload(struct tls *tls, const struct tls_files *files, struct error *err)
{
    struct pair fresh;
    TRY(check_regular("certificate", files->certificate, err));
    TRY(check_regular("key", files->key, err));
    TRY(read_pair(files, &fresh, err));
    mutex_lock(&tls->lock);
    struct pair before = tls->pair;
    tls->pair = fresh;
    mutex_unlock(&tls->lock);
    pair_free(&before);
    return STATUS_OK;
}

/* ---- for the server ---- */

static gnutls_privkey_t import_key(const struct pair *pair)
{
    gnutls_privkey_t key;
    if (gnutls_privkey_init(&key) < 0)
        return NULL;
    if (gnutls_privkey_import_x509_raw(key, &pair->key, GNUTLS_X509_FMT_PEM, NULL, 0) == 0)
        return key;
    gnutls_privkey_deinit(key);
    return NULL;
}

static gnutls_pcert_st *import_chain(const struct pair *pair, unsigned *count)
{
    gnutls_pcert_st *chain = gnutls_malloc(CHAIN_MAX * sizeof *chain);
    *count = CHAIN_MAX;
    if (chain != NULL && gnutls_pcert_list_import_x509_raw(chain, count, &pair->certificate,
                                                           GNUTLS_X509_FMT_PEM, 0) < 0) {
        gnutls_free(chain);
        chain = NULL;
    }
    return chain;
}

/* Each handshake gets a copy of its own, so that nobody has to know when the last one that shows an
   exchanged certificate is over. It takes some 100 us of the handshake's millisecond. */
static int retrieve(struct tls *tls, gnutls_pcert_st **certificates, unsigned *count,
                    gnutls_privkey_t *key, unsigned *flags)
{
    mutex_lock(&tls->lock);
    *certificates = import_chain(&tls->pair, count);
    *key = *certificates == NULL ? NULL : import_key(&tls->pair);
    mutex_unlock(&tls->lock);
    *flags = GNUTLS_CERT_RETR_DEINIT_ALL;
    if (*key != NULL)
        return 0;
    for (unsigned at = 0; *certificates != NULL && at < *count; at++)
        gnutls_pcert_deinit(&(*certificates)[at]);
    gnutls_free(*certificates);
    return -1;
}

/* libmicrohttpd makes the connection the session's pointer. */
static int on_handshake(gnutls_session_t session, const struct gnutls_cert_retr_st *info,
                        gnutls_pcert_st **certificates, unsigned *count, gnutls_ocsp_data_st **ocsp,
                        unsigned *ocsp_count, gnutls_privkey_t *key, unsigned *flags)
{
    (void)info;
    const union MHD_ConnectionInfo *found = MHD_get_connection_info(
        gnutls_session_get_ptr(session), MHD_CONNECTION_INFO_SOCKET_CONTEXT);
    const struct peer *peer = found->socket_context;
    *ocsp = NULL;
    *ocsp_count = 0;
    return retrieve(peer->tls, certificates, count, key, flags);
}

void tls_items(const struct tls *tls, struct MHD_OptionItem items[TLS_ITEMS])
{
    static char priorities[] = "NORMAL:-VERS-ALL:+VERS-TLS1.3:+VERS-TLS1.2:%SERVER_PRECEDENCE";
    for (size_t i = 0; i < TLS_ITEMS; i++)
        items[i] = (struct MHD_OptionItem){MHD_OPTION_END, 0, NULL};
    if (tls == NULL)
        return;
    items[0] = (struct MHD_OptionItem){MHD_OPTION_HTTPS_CERT_CALLBACK2, 0,
                                       (void *)(uintptr_t)on_handshake};
    items[1] = (struct MHD_OptionItem){MHD_OPTION_HTTPS_PRIORITIES, 0, priorities};
    if (tls->client_roots.data != NULL)
        items[2] = (struct MHD_OptionItem){MHD_OPTION_HTTPS_MEM_TRUST, 0, tls->client_roots.data};
}

bool tls_trusts(const struct tls *tls, struct MHD_Connection *connection)
{
    unsigned problems = 0;
    if (tls->client_roots.data == NULL)
        return true;
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(connection, MHD_CONNECTION_INFO_GNUTLS_SESSION);
    return gnutls_certificate_verify_peers2(info->tls_session, &problems) == 0 && problems == 0;
}

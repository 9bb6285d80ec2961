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
    bool wants_clients; /* to show a certificate; never changes */
    struct mutex lock;
    struct pair pair;               /* guarded by lock */
    gnutls_x509_trust_list_t roots; /* guarded by lock; of clients; NULL: nothing is wanted */
    uint64_t roots_number;          /* guarded by lock; from 1; grows with each exchange */
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

static void roots_free(gnutls_x509_trust_list_t roots)
{
    if (roots != NULL)
        gnutls_x509_trust_list_deinit(roots, 1);
}

static enum status parse_roots(const gnutls_datum_t *text, const char *path,
                               gnutls_x509_trust_list_t *out, struct error *err)
{
    int result = gnutls_x509_trust_list_init(out, 0);
    if (result < 0)
        return error_set(err, STATUS_IO, "tls: %s", gnutls_strerror(result));
    if (gnutls_x509_trust_list_add_trust_mem(*out, text, NULL, GNUTLS_X509_FMT_PEM, 0, 0) > 0)
        return STATUS_OK;
    roots_free(*out);
    *out = NULL;
    return error_set(err, STATUS_INVALID, "tls: client CA %s: holds no certificate", path);
}

/* NULL when there is no file. */
static enum status read_roots(const char *path, gnutls_x509_trust_list_t *out, struct error *err)
{
    gnutls_datum_t text;
    *out = NULL;
    if (path == NULL)
        return STATUS_OK;
    TRY(read_file("client CA", path, &text, err));
    enum status status = parse_roots(&text, path, out, err);
    datum_free(&text);
    return status;
}

static enum status read_all(struct tls *tls, const struct tls_files *files, struct error *err)
{
    TRY(read_pair(files, &tls->pair, err));
    return read_roots(files->client_ca, &tls->roots, err);
}

enum status tls_open(const struct tls_files *files, struct tls **out, struct error *err)
{
    struct tls *tls = mem_alloc_zeroed(1, sizeof *tls);
    mutex_init(&tls->lock);
    tls->roots_number = 1;
    tls->wants_clients = files->client_ca != NULL;
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
    roots_free(tls->roots);
    mutex_deinit(&tls->lock);
    mem_free(tls);
}

static enum status check_regular(const char *what, const char *path, struct error *err)
{
    if (!file_is_special(path))
        return STATUS_OK;
    return error_set(err, STATUS_INVALID, "tls: %s %s: not a regular file", what, path);
}

static enum status check_all_regular(const struct tls_files *files, struct error *err)
{
    TRY(check_regular("certificate", files->certificate, err));
    TRY(check_regular("key", files->key, err));
    return files->client_ca == NULL ? STATUS_OK : check_regular("client CA", files->client_ca, err);
}

/* Leaves in `fresh` what is to be freed. */
static void exchange_with(struct tls *tls, struct tls *fresh)
{
    mutex_lock(&tls->lock);
    struct pair pair = tls->pair;
    tls->pair = fresh->pair;
    fresh->pair = pair;
    if (tls->wants_clients && fresh->wants_clients) {
        gnutls_x509_trust_list_t roots = tls->roots;
        tls->roots = fresh->roots;
        fresh->roots = roots;
        tls->roots_number++;
    }
    mutex_unlock(&tls->lock);
}

enum status tls_reload(struct tls *tls, const struct tls_files *files, struct error *err)
{
    struct tls *fresh;
    TRY(check_all_regular(files, err));
    TRY(tls_open(files, &fresh, err));
    exchange_with(tls, fresh);
    tls_close(fresh);
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
    /* by no names of roots: they may have been exchanged before it is looked at */
    if (peer->tls->wants_clients)
        gnutls_certificate_server_set_request(session, GNUTLS_CERT_REQUEST);
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
}

/* The chain that the client has shown: how long it is, 0 if it is none. */
static unsigned import_shown(gnutls_session_t session, gnutls_x509_crt_t chain[CHAIN_MAX])
{
    unsigned shown = 0, count = 0;
    const gnutls_datum_t *certificates = gnutls_certificate_get_peers(session, &shown);
    while (certificates != NULL && count < shown && count < CHAIN_MAX &&
           gnutls_x509_crt_init(&chain[count]) == 0) {
        bool is_read =
            gnutls_x509_crt_import(chain[count], &certificates[count], GNUTLS_X509_FMT_DER) == 0;
        count++;
        if (!is_read)
            break;
    }
    return count;
}

static bool is_signed_by(gnutls_x509_trust_list_t roots, gnutls_session_t session)
{
    gnutls_x509_crt_t chain[CHAIN_MAX];
    unsigned problems = 1, count = import_shown(session, chain);
    bool is_signed =
        count > 0 &&
        gnutls_x509_trust_list_verify_crt2(roots, chain, count, NULL, 0, 0, &problems, NULL) == 0 &&
        problems == 0;
    for (unsigned i = 0; i < count; i++)
        gnutls_x509_crt_deinit(chain[i]);
    return is_signed;
}

bool tls_trusts(struct tls *tls, struct MHD_Connection *connection, uint64_t *roots_number)
{
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(connection, MHD_CONNECTION_INFO_GNUTLS_SESSION);
    if (!tls->wants_clients)
        return true;
    mutex_lock(&tls->lock);
    bool is_trusted =
        *roots_number == tls->roots_number || is_signed_by(tls->roots, info->tls_session);
    if (is_trusted)
        *roots_number = tls->roots_number;
    mutex_unlock(&tls->lock);
    return is_trusted;
}

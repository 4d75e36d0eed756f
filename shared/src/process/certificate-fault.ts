/** OpenSSL's verification results carry names such as `UNABLE_TO_VERIFY_LEAF_SIGNATURE`. */
const CERTIFICATE_CODE = /CERT|^UNABLE_TO_|SIGNATURE|^INVALID_(CA|PURPOSE)$|CRL/

/** Whether the code of an error of Node.js says that the certificate of the other side is refused. */
export const isCertificateFault = (code: string): boolean => CERTIFICATE_CODE.test(code)

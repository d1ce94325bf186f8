/**
 * Which fields of a configuration are never shown: those that the strategy declares secret, and, where its
 * declaration is not at hand, whatever is named like one. Hidden by mistake is a nuisance; shown by mistake is not.
 */
const SOUNDS_SECRET = /secret|passw(or)?d|passphrase|token|credential|private|api_?key|^key$|_key$|^seed$|_seed$/i;

export function isSecretField(name: string, declared: { readonly secret: unknown } | undefined): boolean {
  return SOUNDS_SECRET.test(name) || (declared !== undefined && declared.secret === true);
}

/**
 * Where jailed code may connect, checked by the egress proxy on each connection. Addresses that are private,
 * loopback, link-local, metadata, multicast or reserved are refused for `public` policies whatever the host
 * name says, and the checked address is the one connected to, so rebinding gains nothing.
 */
export type EgressPolicy =
  /** `hosts`: exact names, `*.example.com`, or `*` for any public host. Ports 80 and 443 unless `host:port`. */
  | {
      readonly kind: 'public';
      readonly hosts: readonly string[];
      /**
       * CIDRs that the operator opened beside the public addresses. Where it is given, even empty, an exact entry of
       * `hosts` may be an address itself.
       */
      readonly ranges?: readonly string[];
    }
  /** Hosts that the operator configured (package registries, mirrors): exact `host` or `host:port`, any address. */
  | { readonly kind: 'trusted'; readonly hosts: readonly string[] };

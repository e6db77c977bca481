import type { AccountId, ApiKeyId } from '../kernel/ids.ts';
import type { Secret } from '../kernel/secret.ts';
import type { Person } from './person.ts';
import type { Holder, KeyPrincipal, Principal } from './principal.ts';

/** What is stored of a person: name and e-mail, nothing else. Times are epoch milliseconds. */
export interface Account {
  readonly id: AccountId;
  readonly name: string;
  readonly email: string;
  readonly role: Principal['role'];
  readonly createdAt: number;
  readonly updatedAt: number;
}

export interface ApiKeyInfo {
  readonly id: ApiKeyId;
  readonly createdAt: number;
}

/** A person as an identity provider knows him. Only a keyed hash of it is stored. */
export interface Identity {
  readonly issuer: string;
  readonly subject: string;
}

export interface IssuedToken {
  readonly token: Secret;
  /** Epoch milliseconds, at most 24 h ahead. */
  readonly expiresAt: number;
}

/** Accounts, API keys and JFWTs: the only place that decides who somebody is. */
export interface Accounts {
  /** Makes an account of role owner if there is none; returns its key, which is shown once. */
  bootstrap(preset: Secret | undefined): Promise<Secret | undefined>;
  /** Undefined for anything that is not a live key; never says why. */
  authenticateKey(presented: string): Promise<KeyPrincipal | undefined>;
  /** Exchanges a live key for a JFWT that carries the unwrapped account key; undefined for a bad key. */
  issueToken(presented: string): Promise<IssuedToken | undefined>;
  /** A JFWT for whoever has the account key already; undefined when the API key was revoked. */
  issueTokenFor(keyId: ApiKeyId, holder: Holder): Promise<IssuedToken | undefined>;
  /** Undefined for anything but a token that is intact, unexpired and of a live key. Cached: hot path. */
  verifyToken(presented: string): Promise<KeyPrincipal | undefined>;
  /** What a live API key or JFWT opens; undefined when it is neither. The service alone cannot do this. */
  unlock(presented: string): Promise<Holder | undefined>;

  /** Whether the API key of a session has not been revoked since. */
  isLiveKey(keyId: ApiKeyId): boolean;

  /** From the next instruction on no key and no token of the account is good. Nothing that is stored changes. */
  endAccess(accountId: AccountId): void;

  findByIdentity(identity: Identity): Promise<Account | undefined>;
  /**
   * Links the account with this e-mail address, which the provider has to have verified. Undefined when there is none,
   * or it is linked to another identity already.
   */
  linkIdentity(identity: Identity, email: string): Promise<Account | undefined>;
  /** Makes an account for whom the provider lets in. It starts with one API key, returned once. */
  signUp(identity: Identity, person: Person): Promise<{ account: Account; apiKey: Secret }>;

  get(accountId: AccountId): Promise<Account>;
  /** Rectification: name and address as the person gives them. No identity provider overwrites them. */
  update(principal: Principal, person: Person): Promise<Account>;
  /** Owner only. Everybody of the installation. */
  list(principal: Principal): Promise<Account[]>;
  /** Owner only. The account starts with one API key, returned once. */
  create(principal: Principal, person: Person): Promise<{ account: Account; apiKey: Secret }>;

  listKeys(principal: Principal): Promise<ApiKeyInfo[]>;
  /** Seals the account key, which the holder has to bring, for a further API key. */
  createKey(holder: Holder): Promise<{ info: ApiKeyInfo; apiKey: Secret }>;
  /** Takes effect at once for the key and for every token issued under it. Refuses the account's last key. */
  revokeKey(principal: Principal, keyId: ApiKeyId): Promise<void>;
}

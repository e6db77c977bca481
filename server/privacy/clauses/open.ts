/** Reasons that several clauses share. */

export const UNSEALED = {
  en: 'Not kept in full yet: requests are encrypted as far as this server, and not as far as the sandbox.',
  de: 'Noch nicht ganz eingelöst: Anfragen sind bis zu diesem Server verschlüsselt, nicht bis in die Sandbox.',
};

export const UNPROVEN_CHAT = {
  en: 'Not kept in full yet: it is built, but not all attacks on it are.',
  de: 'Noch nicht ganz eingelöst: Es ist gebaut, aber noch nicht jeder Angriff darauf.',
};

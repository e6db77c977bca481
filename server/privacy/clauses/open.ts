/** Reasons that several clauses share. */

export const UNSEALED = {
  en: 'Not kept in full yet: requests are encrypted as far as this server, and not as far as the sandbox.',
  de: 'Noch nicht ganz eingelöst: Anfragen sind bis zu diesem Server verschlüsselt, nicht bis in die Sandbox.',
};

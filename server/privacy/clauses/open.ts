/** Reasons that several clauses share. */

export const UNSEALED = {
  en: 'Not kept yet: requests are encrypted as far as this server, and not as far as the sandbox.',
  de: 'Noch nicht eingelöst: Anfragen sind bis zu diesem Server verschlüsselt, nicht bis in die Sandbox.',
};

export const UNPROVEN_CHAT = {
  en: 'Not kept yet: AI.Mee is built, and its proof is not complete.',
  de: 'Noch nicht eingelöst: AI.Mee ist gebaut, der Nachweis dafür ist nicht vollständig.',
};

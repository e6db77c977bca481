import * as z from 'zod';

const line = z.string().trim().min(1).max(300).optional();

/** Who answers for this installation (Art. 13(1)(a), (b) GDPR); shown to everybody. */
export const controllerShape = {
  controllerName: line.describe(
    'Who is responsible for this installation, as the privacy page, the signed contract and the record of processing activities name them.',
  ),
  controllerContact: line.describe('How to reach them: postal address, e-mail address or web page.'),
  dataProtectionOfficer: line.describe('Name and contact of their data protection officer, if there is one.'),
};

type ControllerValues = z.output<z.ZodObject<typeof controllerShape>>;

export interface Controller {
  readonly name: string;
  readonly contact: string;
  readonly dataProtectionOfficer: string | null;
}

/** Undefined when nobody is named. Calls `fault` for settings that say half of it. */
export function resolveController(
  { controllerName, controllerContact, dataProtectionOfficer }: ControllerValues,
  fault: (text: string) => void,
): Controller | undefined {
  if (controllerName !== undefined && controllerContact !== undefined) {
    return {
      name: controllerName,
      contact: controllerContact,
      dataProtectionOfficer: dataProtectionOfficer ?? null,
    };
  }
  if (controllerName !== controllerContact || dataProtectionOfficer !== undefined) {
    fault(
      'controllerName and controllerContact (JELLYFAAS_CONTROLLER_NAME, JELLYFAAS_CONTROLLER_CONTACT) belong together, and dataProtectionOfficer needs both',
    );
  }
  return undefined;
}

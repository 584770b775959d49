import { generateSync } from 'otplib';
import type { Service } from './harness.js';
import { mailedCode } from './mailed.js';

const STEP_SECONDS = 30;

/** An authenticator app that has read the address behind a QR code. */
export class Authenticator {
  readonly uri: URL;

  constructor(
    private readonly service: Service,
    otpauthUri: string,
  ) {
    this.uri = new URL(otpauthUri);
  }

  /** The code of now, or of that many steps later. */
  code(steps = 0): string {
    const epoch = Math.floor(this.service.clock.now().getTime() / 1000) + steps * STEP_SECONDS;
    return generateSync({ secret: this.uri.searchParams.get('secret')!, epoch });
  }

  /** A code that no step near now has. */
  wrongCode(): string {
    const near = [-2, -1, 0, 1, 2].map((steps) => this.code(steps));
    return ['111111', '222222', '333333', '444444', '555555', '666666'].find((code) => !near.includes(code))!;
  }
}

/** Waits, by moving the clock, for a step whose code was not used yet. */
export function nextStep(service: Service): void {
  service.clock.advance(STEP_SECONDS);
}

/** Asks for an authenticator and answers it, before anything is confirmed. */
export async function newAuthenticator(service: Service, token: string): Promise<Authenticator> {
  const { mfa } = await service.call('UserProfile.enable_mfa', { mfa_type: 'OTP', options: {} }, token);
  return new Authenticator(service, mfa.options.otp_qrcode_uri as string);
}

/** Switches MFA on with an authenticator; its code of now is used up then. */
export async function enableOtp(service: Service, token: string): Promise<Authenticator> {
  const authenticator = await newAuthenticator(service, token);
  await service.call('UserProfile.confirm_mfa', { verify_code: authenticator.code() }, token);
  return authenticator;
}

/** Switches MFA on with codes to the address. */
export async function enableEmail(service: Service, token: string, address: string): Promise<void> {
  const request = { mfa_type: 'EMAIL', options: { email: address } };
  await service.call('UserProfile.enable_mfa', request, token);
  const verify_code = await mailedCode(service, address);
  await service.call('UserProfile.confirm_mfa', { verify_code }, token);
}

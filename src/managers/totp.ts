import * as OTPAuth from 'otpauth';

const STEP_SECONDS = 30;
const SECRET_BYTES = 20;
/** Steps of drift accepted on either side (RFC 6238 5.2, D-05). */
const DRIFT = 1;

/** A new secret of 160 bits, as 32 base32 characters (contract/behaviour.md 1.6). */
export function newOtpSecret(): string {
  return new OTPAuth.Secret({ size: SECRET_BYTES }).base32;
}

/** The address that authenticator apps read from a QR code. */
export function otpUri(secret: string, issuer: string, user_id: string): string {
  const pair = `${encodeURIComponent(issuer)}:${encodeURIComponent(user_id)}`;
  return `otpauth://totp/${pair}?secret=${secret}&issuer=${encodeURIComponent(issuer)}`;
}

/** The time step for which the code, six ASCII digits, is right, or undefined. */
export function stepOf(secret: string, code: string, now: Date): number | undefined {
  const totp = new OTPAuth.TOTP({
    secret: OTPAuth.Secret.fromBase32(secret),
    digits: 6,
    period: STEP_SECONDS,
  });
  const drift = totp.validate({ token: code, timestamp: now.getTime(), window: DRIFT });
  return drift === null ? undefined : Math.floor(now.getTime() / 1000 / STEP_SECONDS) + drift;
}

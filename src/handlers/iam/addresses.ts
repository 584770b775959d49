/** How the IAM systems write what is configured. */
export interface Addresses {
  /** Where callers reach the edge, without a slash at the end; every link starts with it. */
  publicUrl: string;
  /** Region of the endpoints in the catalog. */
  region: string;
  /** Write `password_expires_at` with Z, as the document prints it and some clients cannot read. */
  expiryWithZ: boolean;
}

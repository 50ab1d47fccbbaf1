//! The signature check of `token verify` against the vectors of Wycheproof, which know what other libraries got wrong.
#![expect(clippy::unwrap_used, reason = "in the helpers of tests too, a failure is the test's")]

use vault_kit::token::algorithm::Algorithm;
use vault_kit::token::key_set::{State, VerificationKey};
use vault_kit::token::public_key::{Curve, PublicKey};
use wycheproof::{TestResult, ecdsa, eddsa, mac, rsa_pkcs1_verify, rsa_pss_verify};

/// What became of the vectors.
#[derive(Default)]
struct Tally {
    /// As many as had a verdict of ours.
    judged: usize,
    mismatches: Vec<String>,
}

impl Tally {
    /// A vector that is merely acceptable may be judged either way.
    fn judge(&mut self, vector: (&str, usize), expected: TestResult, is_valid: bool) {
        self.judged += 1;
        let agrees = match expected {
            TestResult::Valid => is_valid,
            TestResult::Invalid => !is_valid,
            TestResult::Acceptable => true,
        };
        if !agrees {
            self.mismatches.push(format!("{} {}: {expected:?}, but {is_valid}", vector.0, vector.1));
        }
    }
}

/// Judges a kind of vectors, and how many there are of it.
type Set = (fn(&mut Tally), usize);

fn public(algorithm: Algorithm, key: PublicKey) -> VerificationKey {
    VerificationKey::public("k", algorithm, key, State::Active).unwrap()
}

fn ecdsa(tally: &mut Tally) {
    let sets = [
        (ecdsa::TestName::EcdsaSecp256r1Sha256P1363, Algorithm::Es256, Curve::P256),
        (ecdsa::TestName::EcdsaSecp384r1Sha384P1363, Algorithm::Es384, Curve::P384),
    ];
    for (name, algorithm, curve) in sets {
        for group in ecdsa::TestSet::load(name).unwrap().test_groups {
            let key = public(algorithm, PublicKey::Ec(curve, group.key.key.to_vec()));
            for test in group.tests {
                tally.judge((algorithm.name(), test.tc_id), test.result, key.is_signature(&test.msg, &test.sig));
            }
        }
    }
}

fn eddsa(tally: &mut Tally) {
    for group in eddsa::TestSet::load(eddsa::TestName::Ed25519).unwrap().test_groups {
        let key = public(Algorithm::EdDsa, PublicKey::Ed25519(group.key.pk.to_vec()));
        for test in group.tests {
            tally.judge(("EdDSA", test.tc_id), test.result, key.is_signature(&test.msg, &test.sig));
        }
    }
}

/// Keys that are shorter than the hash are refused before they verify anything (RFC 7518 §3.2).
fn hmac(tally: &mut Tally) {
    let sets = [
        (mac::TestName::HmacSha256, Algorithm::Hs256),
        (mac::TestName::HmacSha384, Algorithm::Hs384),
        (mac::TestName::HmacSha512, Algorithm::Hs512),
    ];
    let mut refused = 0;
    for (name, algorithm) in sets {
        for group in mac::TestSet::load(name).unwrap().test_groups {
            // A JWS has the whole tag: a truncated one, though right, is no signature (RFC 7518 §3.2).
            let is_whole = group.tag_size == 8 * algorithm.shortest_shared_key().unwrap();
            for test in group.tests {
                let Some(key) = VerificationKey::shared("k", algorithm, &test.key, State::Active) else {
                    assert!(test.key.len() < algorithm.shortest_shared_key().unwrap());
                    refused += 1;
                    continue;
                };
                let expected = if is_whole { test.result } else { TestResult::Invalid };
                tally.judge((algorithm.name(), test.tc_id), expected, key.is_signature(&test.msg, &test.tag));
            }
        }
    }
    assert_eq!(refused, 18);
}

fn rsa_pkcs1(tally: &mut Tally) {
    use rsa_pkcs1_verify::TestName::{
        Rsa2048Sha256, Rsa2048Sha384, Rsa2048Sha512, Rsa3072Sha256, Rsa3072Sha384, Rsa3072Sha512, Rsa4096Sha256,
        Rsa4096Sha384, Rsa4096Sha512, Rsa8192Sha256, Rsa8192Sha384, Rsa8192Sha512,
    };
    let sets = [
        (Algorithm::Rs256, [Rsa2048Sha256, Rsa3072Sha256, Rsa4096Sha256, Rsa8192Sha256]),
        (Algorithm::Rs384, [Rsa2048Sha384, Rsa3072Sha384, Rsa4096Sha384, Rsa8192Sha384]),
        (Algorithm::Rs512, [Rsa2048Sha512, Rsa3072Sha512, Rsa4096Sha512, Rsa8192Sha512]),
    ];
    for (algorithm, names) in sets {
        for group in names.into_iter().flat_map(|name| rsa_pkcs1_verify::TestSet::load(name).unwrap().test_groups) {
            let key = public(algorithm, rsa(&group.key.n, &group.key.e));
            for test in group.tests {
                tally.judge((algorithm.name(), test.tc_id), test.result, key.is_signature(&test.msg, &test.sig));
            }
        }
    }
}

fn rsa_pss(tally: &mut Tally) {
    use rsa_pss_verify::TestName::{
        RsaPss2048Sha256Mgf1SaltLen32, RsaPss2048Sha384Mgf1SaltLen48, RsaPss3072Sha256Mgf1SaltLen32,
        RsaPss4096Sha256Mgf1SaltLen32, RsaPss4096Sha384Mgf1SaltLen48, RsaPss4096Sha512Mgf1SaltLen64,
    };
    // The salt of a JWS is as long as the hash (RFC 7518 §3.5).
    let sets = [
        (Algorithm::Ps256, RsaPss2048Sha256Mgf1SaltLen32),
        (Algorithm::Ps256, RsaPss3072Sha256Mgf1SaltLen32),
        (Algorithm::Ps256, RsaPss4096Sha256Mgf1SaltLen32),
        (Algorithm::Ps384, RsaPss2048Sha384Mgf1SaltLen48),
        (Algorithm::Ps384, RsaPss4096Sha384Mgf1SaltLen48),
        (Algorithm::Ps512, RsaPss4096Sha512Mgf1SaltLen64),
    ];
    for (algorithm, name) in sets {
        for group in rsa_pss_verify::TestSet::load(name).unwrap().test_groups {
            let key = public(algorithm, rsa(&group.key.n, &group.key.e));
            for test in group.tests {
                tally.judge((algorithm.name(), test.tc_id), test.result, key.is_signature(&test.msg, &test.sig));
            }
        }
    }
}

/// ASN.1's integers begin with a zero where a JWK's do not.
fn rsa(n: &[u8], e: &[u8]) -> PublicKey {
    let bare = |number: &[u8]| number.iter().copied().skip_while(|&byte| byte == 0).collect();
    PublicKey::Rsa { n: bare(n), e: bare(e) }
}

#[test]
fn every_vector_is_judged_as_wycheproof_does() {
    let sets: [Set; 5] = [(ecdsa, 542), (eddsa, 151), (hmac, 504), (rsa_pkcs1, 3106), (rsa_pss, 785)];
    for (judge, count) in sets {
        let mut tally = Tally::default();
        judge(&mut tally);
        assert_eq!(tally.mismatches, [] as [String; 0]);
        // A set that fell out of the crate would otherwise be missed by nobody.
        assert_eq!(tally.judged, count);
    }
}

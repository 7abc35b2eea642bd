from __future__ import annotations

from collections.abc import Iterator

from forgedoctor import fixes
from forgedoctor.check import CERTAIN, ERROR, Evidence, Finding, check, plain, t
from forgedoctor.facts import Models
from forgedoctor.models import families, kinds, lacks


@check("state-dict-mismatch", severity=ERROR, group="models", forks=["forge", "neo"])
def state_dict_mismatch(models: Models) -> Iterator[Finding]:
    """The chosen VAE is made for another family than the chosen checkpoint.

    What happens: "Error(s) in loading state_dict for IntegratedAutoencoderKL: size mismatch for ..." when it is loaded.
    Why: "VAE / Text Encoder" keeps what was chosen for the model before: the VAE of FLUX and SD3 has 16 channels, that of
    SD and SDXL 4.
    Fix: choose none (SD and SDXL files hold their own), or the matching one.
    Source: backend/loader.py replace_state_dict; the headers of both files.
    """
    one = models.checkpoint
    if one is None or one.kind != kinds.CHECKPOINT:
        return
    for vae in lacks.clashing(one, models.chosen_modules):
        wanted = families.name_of(families.needs(one.family)[1])
        fix = t('Take {vae} out of "VAE / Text Encoder": the checkpoint holds its own VAE', vae=vae.name)
        if "vae" not in one.bundled:
            fix = t('Choose the {wanted} in place of {vae} under "VAE / Text Encoder"', wanted=wanted, vae=vae.name)
        yield Finding(
            t("The chosen VAE {vae} does not fit the chosen checkpoint {file}.", vae=vae.name, file=one.name),
            evidence=[
                Evidence(plain(families.name_of(vae.family)), vae.path),
                Evidence(
                    t("{family} needs the {wanted}", family=families.name_of(one.family), wanted=wanted), one.path
                ),
            ],
            fixes=[fixes.advise(fix)],
            confidence=CERTAIN,
        )

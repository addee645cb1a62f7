"""
Trains the shortened model with TRL, with the original as its teacher, on all GPUs of this machine or of several:

    accelerate launch train.py

`config.json` says how: "method" is "lora" (a small adapter) or "full" (every weight). The result is in `result`, and
`coppice take` reads it. Started again after an interruption, it goes on from the last saved step.
"""

from trl import SFTConfig, SFTTrainer

from training import Distilled, arguments_of, data_of, lora_of, models_of, read_config, train


class DistillationTrainer(Distilled, SFTTrainer):
    """TRL's trainer with a teacher beside the model."""

    packages = ("trl", "peft", "transformers", "accelerate", "torch")

    def __init__(self, *args, teacher, **more):
        super().__init__(*args, **more)
        self.teacher = self._placed(teacher)

    def _placed(self, teacher):
        if self.is_deepspeed_enabled:
            from trl.models import prepare_deepspeed

            return prepare_deepspeed(teacher, self.accelerator)
        if self.is_fsdp_enabled:
            from trl.models import prepare_fsdp

            return prepare_fsdp(teacher, self.accelerator)
        return self.accelerator.prepare_model(teacher, evaluation_mode=True)

    def teacher_logits(self, read):
        return self.teacher(**read).logits


def main():
    config = read_config()
    student, teacher, tokenizer = models_of(config)
    data = data_of()
    # The rows are token ids already, and none is cut.
    as_they_are = {"dataset_kwargs": {"skip_prepare_dataset": True}, "max_length": None}
    trainer = DistillationTrainer(
        model=student,
        args=SFTConfig(**arguments_of(config, data), **as_they_are),
        processing_class=tokenizer,
        peft_config=lora_of(config),
        teacher=teacher,
        **data,
    )
    trainer.teacher_weight = config["teacher_weight"]
    train(trainer, config)


if __name__ == "__main__":
    main()

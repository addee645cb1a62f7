"""
Trains the shortened model with NVIDIA ModelOpt, with the original as its teacher, on all GPUs of this machine or of several:

    accelerate launch train.py

`config.json` says how: "method" is "lora" (a small adapter) or "full" (every weight). The result is in `result`, and
`coppice take` reads it. Started again after an interruption, it goes on from the last saved step.
"""

from modelopt.torch.distill.plugins.huggingface import KDTrainer
from peft import get_peft_model
from transformers import TrainingArguments

from training import Distilled, arguments_of, data_of, lora_of, models_of, read_config, train


class DistillationTrainer(Distilled, KDTrainer):
    """
    ModelOpt's trainer, which keeps the teacher. Its own loss is a mean of means over batches and devices; that of
    `Distilled` is one mean over the targets of a step, and can have the text beside the teacher.
    """

    packages = ("nvidia-modelopt", "peft", "transformers", "accelerate", "torch")

    def teacher_logits(self, read):
        self._ensure_teacher_prepared()
        return self._compute_teacher_outputs(read).logits


def main():
    config = read_config()
    student, teacher, tokenizer = models_of(config)
    data = data_of()
    lora = lora_of(config)
    if lora is not None:
        student.enable_input_require_grads()  # so that what is computed again on the way back has a gradient
        student = get_peft_model(student, lora)
    trainer = DistillationTrainer(
        model=student,
        args=TrainingArguments(**arguments_of(config, data)),
        processing_class=tokenizer,
        distill_args={"teacher_model": teacher},
        **data,
    )
    trainer.teacher_weight = config["teacher_weight"]
    train(trainer, config)


if __name__ == "__main__":
    main()
